"""The explorer in a browser: what only a browser shows. Its numbers are tested in Node.

Needs Debian's chromium and chromium-driver and the extra [browser]; axe-core for the test of accessibility. With
EDGE_DEMO_SKIP_NOTHING in the environment, a test whose tools are missing fails in place of being skipped.
"""

import io
import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from explorer_runs import Tanh, make_run, own_patches
from PIL import Image

from edge_demo.explorer import write_explorer
from edge_demo.runs.run import load_run

pytestmark = pytest.mark.shipped


def missing(what):
    message = f"the explorer is not tested in a browser: {what}"
    if "EDGE_DEMO_SKIP_NOTHING" in os.environ:
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    try:
        from selenium import webdriver
    except ImportError:
        missing("selenium is missing; pip install -e '.[browser]'")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        missing("chromium or its driver is missing; apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    flags = "headless no-sandbox disable-gpu disable-quic no-first-run disable-background-networking"
    flags += " disable-component-update disable-sync hide-scrollbars"
    for flag in flags.split():
        options.add_argument(f"--{flag}")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield opened
    opened.quit()


@pytest.fixture(scope="module")
def pages(browser, trained, trained_kinds, tmp_path_factory):  # without a browser nothing is trained
    """Files of explorers, and their runs: the default run, seven kinds, own data of two shapes."""
    folder = tmp_path_factory.mktemp("explorers")
    runs = {
        "label": (trained[0] / "explorer.html", load_run(trained[0])),
        "kind": (trained_kinds[0] / "explorer.html", load_run(trained_kinds[0])),
        "own": (folder / "own.html", make_run(own_patches(shape=(3, 7)), hidden=(7, 5), activation=Tanh)),
    }
    write_explorer(runs["own"][1], runs["own"][0])
    return runs


def emulate(browser, width, height=800, scheme="light", mobile=False):
    media = [("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")]
    features = [{"name": name, "value": value} for name, value in media]
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


@pytest.fixture
def page(browser, pages):
    """Opens the explorer of a run, by name; after it, the console must be empty and nothing must have been loaded."""
    browser.get("about:blank")
    browser.get_log("browser"), browser.get_log("performance")

    def show(name="label", hash="", width=1440, **how):
        emulate(browser, width, **how)
        browser.get("about:blank")
        browser.get(pages[name][0].as_uri() + hash)
        until(lambda: browser.execute_script("return 'edgeDemo' in window"))
        return browser

    yield show
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    requests = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = {r["params"]["request"]["url"] for r in requests if r["method"] == "Network.requestWillBeSent"}
    assert {url for url in urls if not url.startswith(("file:", "data:", "about:", "chrome:"))} == set()


def until(is_so, seconds=60):
    """Waits, on a slow machine for long, until something is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it has not come about"
        time.sleep(0.05)


def state(browser):
    return browser.execute_script("return edgeDemo.state()")


def text(browser, element_id):
    return browser.execute_script("return document.getElementById(arguments[0]).textContent", element_id)


def click(browser, element_id):
    browser.find_element("id", element_id).click()


GREY = "#painted=" + ".".join(["5000"] * 25)


def test_painting_by_mouse_finger_and_keys_and_undo(page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser = page(hash=GREY)
    cells = browser.find_elements("css selector", "#pixels [role=gridcell]")
    cells[12].click()
    assert state(browser)["pixels"] == [0.5] * 12 + [0.75] + [0.5] * 12
    cells[12].click()  # again: the opposite
    assert state(browser)["pixels"][12] == 0.25
    drag = ActionChains(browser, duration=20).move_to_element(cells[0]).click_and_hold()
    for cell in cells[1:4]:
        drag.move_to_element(cell)
    drag.release().perform()
    assert state(browser)["pixels"][:5] == [0.75] * 4 + [0.5]
    cells[0].send_keys(Keys.CONTROL, "z")  # the whole stroke
    assert state(browser)["pixels"][:5] == [0.5] * 5

    browser = page(hash=GREY, width=390, mobile=True)
    cell = browser.find_element("css selector", "[data-pixel='6']")
    browser.execute_script("arguments[0].scrollIntoView({ block: 'center' })", cell)
    box = browser.execute_script("return arguments[0].getBoundingClientRect().toJSON()", cell)
    for kind, points in (("touchStart", [1]), ("touchMove", [1.5]), ("touchEnd", [])):
        at = [{"x": box["x"] + box["width"] * (x - 0.5), "y": box["y"] + 9} for x in points]
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
    assert [i for i, pixel in enumerate(state(browser)["pixels"]) if pixel == 0.75] == [6, 7]
    assert browser.find_element("id", "strip").rect["y"] >= browser.execute_script("return scrollY")  # stays in sight
    p = browser.execute_script("return Math.max(...edgeDemo.compute().probabilities)")
    assert f"{p:.3f} · exact " in text(browser, "strip")

    browser = page("own", hash="#painted=" + ".".join(["5000"] * 21))  # three rows of seven
    browser.execute_script("document.querySelector('[data-pixel]').focus()")
    keys = (Keys.ARROW_RIGHT, Keys.ARROW_DOWN, " ", "+", "-", "-", Keys.END, "9", Keys.ARROW_DOWN, Keys.HOME, "0")
    for key in keys:
        browser.switch_to.active_element.send_keys(key)
    assert [state(browser)["pixels"][i] for i in (8, 13, 14)] == [0.7, 0.9, 0]


def test_play_trains_pause_shows_the_newest_point_and_a_screen_reader_hears_little(page):
    browser = page()
    browser.execute_script(
        """window.spoken = 0;
        const count = new MutationObserver((changes) => (window.spoken += changes.length));
        for (const region of document.querySelectorAll("[role=status], [aria-live]"))
          count.observe(region, { childList: true, characterData: true, subtree: true });
        document.getElementById("speed").value = "Infinity";"""
    )
    shown = ("steps", "unit-details", "progress", "parts-legend", "posterior", "stages", "loss-title")
    before = {element: text(browser, element) for element in shown}
    assert text(browser, "epoch") == "epoch 40 of 40"
    click(browser, "play")
    until(lambda: browser.execute_script("return edgeDemo.live().training.epoch > 3"))
    assert browser.execute_script("return window.spoken") <= 2
    click(browser, "play")
    steps, epoch, points = browser.execute_script(
        "const { training, points } = edgeDemo.live(); return [training.steps, training.epoch, points.length]"
    )
    assert state(browser)["epoch"] == epoch
    assert state(browser)["snapshot"] == points - 1
    assert text(browser, "epoch") == f"epoch {epoch:.4g} of {epoch:.4g}"
    for element in shown:
        assert text(browser, element) != before[element], element
    click(browser, "one-step")
    assert browser.execute_script("return edgeDemo.live().training.steps") == steps + 1
    click(browser, "restart")
    assert state(browser)["epoch"] == 0
    click(browser, "to-run")
    assert (state(browser)["epoch"], state(browser)["live"]) == (40, False)


def test_at_speed_1_an_epoch_takes_some_five_seconds_and_a_hidden_tab_pauses(page):
    browser = page()
    click(browser, "play")
    time.sleep(2)
    epoch, seconds = browser.execute_script(
        "const { epoch } = edgeDemo.live().training; return [epoch, epoch / edgeDemo.frames().epochsPerSecond]"
    )
    assert 0 < epoch <= 1.1 * seconds / 5
    browser.execute_script(
        """Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
        document.dispatchEvent(new Event("visibilitychange"))"""
    )
    assert text(browser, "play").endswith("Play")


def test_a_link_trains_again_and_a_training_that_diverged_is_one_state(page):
    browser = page(hash="#steps=150&hidden1=8&patches=400&temperature=2")
    until(lambda: browser.execute_script("return edgeDemo.live().training.steps === 150"))
    until(lambda: text(browser, "play").endswith("Play"))
    time.sleep(0.5)
    assert "steps=150&hidden1=8&patches=400&temperature=2" in browser.current_url
    browser = page(hash="#steps=100000&rate=100")
    until(lambda: browser.find_element("id", "divergence").is_displayed())
    assert not browser.find_element("id", "play").is_enabled()
    everything = browser.execute_script("return document.body.innerText")
    assert "NaN" not in everything
    field = browser.find_element("id", "set-rate")
    browser.execute_script(
        "document.getElementById('settings-box').open = true; arguments[0].value = 0.2;"
        "arguments[0].dispatchEvent(new Event('change'))",
        field,
    )
    assert browser.find_element("id", "play").is_enabled()
    assert state(browser)["epoch"] == 0


def test_the_first_screen_tells_the_whole_story_and_nothing_sticks_out(page):
    story = "#play, #open-tour, #pixels, #units button, #steps td, #formula"
    for width, height in ((1440, 900), (1024, 768)):
        browser = page(width=width, height=height)
        ends = "return [...document.querySelectorAll(arguments[0])].map((e) => e.getBoundingClientRect().bottom)"
        assert max(browser.execute_script(ends, story)) <= height
        assert len(browser.find_elements("css selector", "header .primary, main .primary")) == 1
    browser = page(width=390, height=844, mobile=True)
    assert browser.execute_script("return document.documentElement.scrollHeight") < 4000
    for name in ("label", "kind", "own"):
        browser = page(name, hash="#temperature=2&add=3")
        for width in (320, 800, 1000, 1280):
            emulate(browser, width)
            browser.execute_script("document.querySelectorAll('details').forEach((card) => (card.open = true))")
            time.sleep(0.2)
            assert browser.execute_script("return document.documentElement.scrollWidth") == width
            assert sticking_out(browser) == [], (name, width)


def sticking_out(browser):
    """What lies beyond the page's edges, and text that is cut off."""
    return browser.execute_script(
        """const blocks = "button, h1, h2, h3, p, td";
        return [...document.querySelectorAll("body *")].filter((e) => {
          const { left, right, width } = e.getBoundingClientRect();
          const mayEnd = e.closest("#thumbnails span, th, #labels, #legend, #strip, .unseen");  // with …
          if (!width || mayEnd) return false;
          const inline = getComputedStyle(e).display === "inline";
          const cut = e.matches(blocks) && !inline && e.scrollWidth > e.clientWidth + 1;
          return left < -0.5 || right > innerWidth + 0.5 || cut;
        }).map((e) => e.outerHTML.slice(0, 120))"""
    )


def test_all_works_by_keys_every_slider_has_a_name_and_what_has_the_focus_is_in_sight(page):
    from selenium.webdriver.common.keys import Keys

    browser, sliders = page(height=600), {}
    for _ in range(80):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        focus = browser.switch_to.active_element
        if focus.tag_name == "body":
            break
        covered = browser.execute_script(
            """const box = arguments[0].getBoundingClientRect();
            const bar = document.getElementById("training-bar").getBoundingClientRect();
            return !arguments[0].closest("#training-bar") && box.top < bar.bottom - 1 && box.bottom > bar.top + 1""",
            focus,
        )
        assert not covered, focus.get_attribute("outerHTML")[:100]
        if focus.get_attribute("type") == "range":
            focus.send_keys(Keys.ARROW_LEFT)
            sliders[focus.get_attribute("id")] = focus.accessible_name
    assert set(sliders) >= {"snapshot", "brush", "temperature", "add"}
    assert all(sliders.values()), sliders
    assert state(browser)["temperature"] < 1
    assert state(browser)["add"] == -0.5


def test_patches_in_the_charts_are_found_by_pointer_and_by_keys(page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser = page()
    for chart in ("sigmoid-chart", "plane-chart"):
        canvas, tip = browser.find_element("id", chart), browser.find_element("id", "tip")
        canvas.send_keys(Keys.ARROW_LEFT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
        by_keys = tip.text
        assert by_keys.startswith("Test patch ")
        canvas.send_keys(Keys.ENTER)  # loads it, so that its ring is where the tip points
        assert by_keys.startswith(f"Test patch {state(browser)['patch']['test'] + 1:,}, ")
        canvas.send_keys(Keys.ESCAPE)
        assert not tip.is_displayed()
    ActionChains(browser, duration=0).move_to_element(canvas).perform()
    assert tip.is_displayed()


def test_the_window_is_dragged_over_the_photograph(page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser = page()
    canvas = browser.find_element("id", "photo")
    browser.execute_script("arguments[0].scrollIntoView({ block: 'center' })", canvas)
    drag = ActionChains(browser, duration=20).move_to_element(canvas).click_and_hold()
    drag.move_by_offset(20, 10).release().perform()
    x, y = state(browser)["patch"]["from"]
    assert x > 70
    assert text(browser, "which") == f"The window of the photograph around column {x + 1}, row {y + 1}."
    canvas.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    assert state(browser)["patch"]["from"] == [x + 1, y + 1]
    grey = browser.execute_script("const { width, grey } = edgeDemo.run.photograph; return [width, [...grey]]")
    window = np.reshape(grey[1], (-1, grey[0]))[y - 1 : y + 4, x - 1 : x + 4]
    np.testing.assert_allclose(state(browser)["pixels"], window.ravel(), atol=5e-5)


def picture(shape, kind="PNG"):
    stream = io.BytesIO()
    Image.fromarray(np.zeros(shape, np.uint8)).save(stream, kind)
    return stream.getvalue()


def test_pictures_of_the_offered_kinds_are_read_or_a_line_says_why_not(page, tmp_path):
    browser = page()
    chooser = browser.find_element("id", "own-picture")
    assert chooser.get_attribute("accept") == "image/png,image/jpeg,image/gif,image/webp"
    cases = {
        "few.png": (picture((4, 9)), "9 × 4 pixels are too few"),
        "cut.png": (picture((90, 90))[:60], "is damaged"),
        "<svg>.png": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no PNG, JPEG, GIF or WebP"),
        **{f"own.{kind}": (picture((300, 200), kind), "nothing is sent") for kind in ("JPEG", "GIF", "WEBP", "PNG")},
    }
    for name, (content, line) in cases.items():
        (tmp_path / name).write_bytes(content)
        chooser.send_keys(str(tmp_path / name))
        until(lambda line=line: line in text(browser, "picture-line"))
        size = browser.execute_script("const map = document.getElementById('edge-map'); return [map.width, map.height]")
        assert size == ([107, 160] if name.startswith("own") else [137, 160])
        browser.execute_script("document.getElementById('picture-line').textContent = ''")


def test_the_tour_has_seven_steps_whose_numbers_are_those_of_the_page(page):
    browser = page()
    click(browser, "open-tour")
    seen = []
    for step in range(7):
        seen.append(text(browser, "tour-text"))
        assert browser.switch_to.active_element.get_attribute("id") == "tour-title"
        numbers = browser.execute_script("return edgeDemo.compute()")
        if step == 0:
            assert all(f"{abs(z):.2f}" in seen[0] for z in numbers["logits"])
        if step == 3:
            assert f"a loss of {numbers['loss']:.3f} nats" in seen[3]
        if step == 4:
            best = np.argmax(numbers["probabilities"])
            assert all(f"{numbers[of][best]:.3f}" in seen[4] for of in ("probabilities", "posterior"))
            assert "the most wrong" in text(browser, "which")
        if step == 6:
            assert "21,920 windows" in seen[6]
        click(browser, "tour-next")
    assert len(set(seen)) == 7
    assert browser.switch_to.active_element.get_attribute("id") == "open-tour"


@pytest.mark.parametrize(("name", "width"), [("label", 1440), ("kind", 390)])
def test_axe_finds_no_violation(name, width, page):
    axe = os.environ.get("AXE_CORE")
    if not axe:
        missing("axe-core is missing; npm install axe-core, and AXE_CORE=…/node_modules/axe-core/axe.min.js")
    browser = page(name, width=width, hash="#tour=2&temperature=2")
    browser.execute_script("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    if name == "label":
        browser.execute_script("edgeDemo.set({ live: true, tour: 6 }); edgeDemo.train(500)")
    browser.execute_script(Path(axe).read_text(encoding="utf-8"))
    for scheme in ("light", "dark"):
        emulate(browser, width, scheme=scheme)
        found = browser.execute_async_script("axe.run().then(({ violations }) => arguments[0](violations))")
        assert [(v["id"], [node["html"][:150] for node in v["nodes"]]) for v in found] == [], scheme
