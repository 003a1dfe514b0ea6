"""What the scripts share: flags and errors, tables, wording. The only room that prints."""
