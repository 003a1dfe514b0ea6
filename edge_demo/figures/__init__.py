"""Pictures, one module a figure: each function takes arrays and returns a Figure; it neither trains nor saves."""
