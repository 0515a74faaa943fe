"""The page in a real browser: a headless Chromium, where the machine has one."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from diffstn.report.write import report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
DRIVER = shutil.which("chromedriver") or shutil.which("/usr/lib/chromium/chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no Chromium here: apt-get install chromium chromium-driver"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser without a window and without a network."""
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    profile = tmp_path_factory.mktemp("profile")
    for word in (
        *("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"),
        *("window-size=1280,900", "host-resolver-rules=MAP * ~NOTFOUND"),
        f"user-data-dir={profile}",
    ):
        options.add_argument(f"--{word}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[[Path], Any]]:
    """`opened(page)`: the browser on that page; its console must stay empty to the end."""

    def go(page: Path) -> Any:
        browser.get(page.absolute().as_uri())
        return browser

    yield go
    assert browser.get_log("browser") == []


def found(browser: Any, selector: str) -> list[Any]:
    return browser.find_elements("css selector", selector)


def slide(browser: Any, position: int) -> None:
    browser.execute_script(
        "const r = document.querySelector('.film input[type=range]'); r.value = arguments[0];"
        "r.dispatchEvent(new Event('input', {bubbles: true}))",
        position,
    )


def hover(browser: Any, plot: Any, share: float) -> str:
    """Point at a plot, at so much of its width; return what the page says of it."""
    from selenium.webdriver import ActionChains

    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", plot)
    x = int(plot.size["width"] * (share - 0.5))
    ActionChains(browser, duration=0).move_to_element_with_offset(plot, x, 0).perform()
    return plot.find_element("xpath", "../..").find_element("css selector", ".tip").text


def test_the_slider_shows_each_validation(opened: Callable[[Path], Any], trained: Path):
    browser = opened(trained / "report.html")
    shown = {}
    for position in range(4):
        slide(browser, position)
        [frame] = [f for f in found(browser, ".reel img") if f.is_displayed()]
        said = found(browser, ".film output")[0].text
        shown[said] = frame.get_attribute("src")
        assert browser.execute_script("return arguments[0].naturalWidth", frame) > 0
    assert list(shown) == ["step 2", "step 4", "step 6", "step 8"]
    assert len(set(shown.values())) == 4
    found(browser, ".film button")[0].click()  # plays from the start
    assert found(browser, ".film output")[0].text == "step 2"


def test_pointing_at_a_curve_tells_its_values(
    opened: Callable[[Path], Any], trained: Path, tmp_path: Path
):
    browser = opened(trained / "report.html")
    plot = found(browser, ".panel svg")[0]
    first, last = hover(browser, plot, 0.12), hover(browser, plot, 0.98)
    assert first.startswith("step 2")
    assert last.startswith("step 8")
    for said in (first, last):
        assert "val/loss" in said
        assert "train/loss" in said
    final = (trained / "metrics.csv").read_text().splitlines()[-1].split(",")
    assert any(f"{float(value):.4g}" in last for value in final[4:])
    page = tmp_path / "page.png"
    assert browser.save_screenshot(str(page))
    assert page.stat().st_size > 20_000


def test_curves_of_a_sweep_can_be_switched(opened: Callable[[Path], Any], sweep: Path):
    page = report([str(sweep)])[-1]
    browser = opened(page)
    panel = found(browser, ".panel")[0]

    def curves() -> int:
        return len(panel.find_elements("css selector", ".curve"))

    assert curves() == 4
    assert len(panel.find_elements("css selector", ".band")) == 4
    assert " ± " in hover(browser, panel.find_element("css selector", "svg"), 0.9)
    found(browser, ".legend button")[0].click()
    assert curves() == 3
    found(browser, "[data-option=bands]")[0].click()
    assert curves() == 9
    found(browser, "[data-run='3']")[0].click()
    assert curves() == 8
    ticks = [t.text for t in panel.find_elements("css selector", "svg text")]
    found(browser, "[data-option=log]")[0].click()
    assert [t.text for t in panel.find_elements("css selector", "svg text")] != ticks
    for axis in ("epoch", "seconds"):
        browser.execute_script(
            "const s = document.querySelector('select'); s.value = arguments[0];"
            "s.dispatchEvent(new Event('change'))",
            axis,
        )
        assert axis in panel.text


def test_it_fits_a_narrow_window(opened: Callable[[Path], Any], sweep: Path):
    browser = opened(report([str(sweep)])[-1])
    narrow = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", narrow)
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= 400


def test_a_hostile_run_runs_nothing(
    opened: Callable[[Path], Any], run: Path, change: Callable[..., None]
):
    evil = "</script><script>window.hit=1</script><img src=x onerror='window.hit=1'>"
    change(run, "status", lambda s: s.update(state="failed", error=evil))
    change(run, "metrics", lambda m: m.update(numbers={evil: 1.0}, protocol={evil: evil}))
    change(run, "config", lambda c: c["choices"].update({"model": evil, evil: evil}))
    table = run / "metrics.csv"
    table.write_text(table.read_text().replace("val/loss", evil))
    browser = opened(
        report([str(run.rename(run.with_name("<img src=x onerror=window.hit=1>")))])[0]
    )
    assert browser.execute_script("return window.hit === undefined")
    panels = json.loads(browser.execute_script("return JSON.stringify(data.panels)"))
    names = [panel["title"] for panel in panels]
    assert any("onerror" in name for name in names)  # shown, as text
    hover(browser, found(browser, ".panel svg")[-1], 0.5)
    assert browser.execute_script("return window.hit === undefined")
