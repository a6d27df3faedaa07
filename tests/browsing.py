"""A real headless browser for tests of pages: what a person sees, and that nothing in the data can run or leave.

It needs Chromium with its driver (Debian: `chromium chromium-driver`) and is skipped without one;
`FLITSTACK_STRICT=1`, as the gate sets it, makes that a failure, which `FLITSTACK_WITHOUT_BROWSER=1` waives. With
`FLITSTACK_SCREENSHOTS=docs/images` the pictures of the documentation are taken.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIVER = "FLITSTACK_WITHOUT_BROWSER"
STRICT = "FLITSTACK_STRICT"
SCREENSHOTS = "FLITSTACK_SCREENSHOTS"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
PATIENCE_S = 15.0
PHONE = 360
"""Pixels across a phone."""


class Browser:
    """A headless Chromium behind its driver, spoken to as the WebDriver standard says."""

    def __init__(self, driver_url: str, binary: str, profile: Path) -> None:
        options = {
            "binary": binary,
            "args": [
                "--headless=new",
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--window-size=1060,640",
                "--force-device-scale-factor=1",
                f"--user-data-dir={profile}",
            ],
        }
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self._driver = httpx.Client(base_url=driver_url, timeout=60)
        made = self._driver.post("/session", json={"capabilities": {"alwaysMatch": wanted}}).json()["value"]
        assert "sessionId" in made, made
        self._session = f"/session/{made['sessionId']}"

    def _do(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._driver.post(f"{self._session}/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()["value"]

    def open(self, url: str) -> None:
        """Show a page; what an earlier one complained about is forgotten."""
        self._do("url", {"url": "about:blank"})
        self.complaints()
        self._do("url", {"url": url})

    def run(self, script: str) -> Any:
        """Return what a script returns."""
        return self._do("execute/sync", {"script": script, "args": []})

    def wait_for(self, condition: str) -> Any:
        """Return what the script expression is once it is true.

        :raises AssertionError: it does not become true; shows the page's text.
        """
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            found = self.run(f"return {condition}")
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"{condition} did not happen; the page says: {self.text('body')[:800]}")

    def click(self, selector: str, text: str = "") -> None:
        """Click the first element that matches and contains the text, as a person would."""
        find = f"[...document.querySelectorAll({selector!r})].find((one) => one.textContent.includes({text!r}))"
        until = time.monotonic() + PATIENCE_S
        while True:
            self.wait_for(f"!!{find}")
            found = self.run(f"return {find}")
            # The page may have drawn its rows again between finding and clicking.
            clicked = found and self._driver.post(f"{self._session}/element/{found[ELEMENT]}/click", json={})
            if clicked and clicked.is_success:
                return
            assert time.monotonic() < until, clicked.text if clicked else f"{selector} is gone"
            time.sleep(0.05)

    def write(self, selector: str, text: str) -> None:
        """Type into a field."""
        found = self._do("element", {"using": "css selector", "value": selector})
        self._do(f"element/{found[ELEMENT]}/value", {"text": text})

    def resize(self, width: int, height: int) -> None:
        """Give the page this room, pixels; a window narrower than the system allows is emulated."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": True}
        self._do("goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": size})

    def media(self, kind: str) -> None:
        """Show the page as for `print`, "" for as usual."""
        self._do("goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {"media": kind}})

    def text(self, selector: str) -> str:
        """Return the text that an element shows."""
        return str(self.run(f"return document.querySelector({selector!r}).innerText"))

    def complaints(self) -> list[str]:
        """Return what the browser's console holds: errors, refused requests, scripts that were stopped."""
        return [entry["message"] for entry in self._do("se/log", {"type": "browser"})]

    def picture(self) -> bytes:
        """Return a PNG of the window."""
        shot = self._driver.get(f"{self._session}/screenshot").json()["value"]
        return base64.b64decode(shot)

    def close(self) -> None:
        """End the browser."""
        self._driver.delete(self._session)
        self._driver.close()


@contextmanager
def driving(driver: str) -> Iterator[str]:
    """Run the driver on a free port and yield its URL."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE, stderr=quiet, text=True) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                found = re.search(r"on port (\d+)", line)
                if found and "success" in line:
                    yield f"http://127.0.0.1:{found[1]}"
                    break
            else:
                pytest.fail("chromedriver did not start")
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless browser, one for all tests of a module."""
    if os.environ.get(WAIVER) == "1":
        pytest.skip(f"waived by {WAIVER}=1: the page was not tested in a browser")
    binary = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        missing = f"No browser: the page was not tested. Install chromium and chromium-driver ({STRICT}=1 makes this a "
        missing += f"failure, {WAIVER}=1 waives it)."
        if os.environ.get(STRICT) == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    with driving(driver) as url:
        opened = Browser(url, binary, tmp_path_factory.mktemp("browser"))
        try:
            yield opened
        finally:
            opened.close()


def show_whole(browser: Browser, page: Path) -> None:
    """Show a report as at a desk, and require that it needs nothing but itself: no script, nothing fetched."""
    browser.resize(1000, 1180)
    browser.open(page.as_uri())
    assert browser.run("return document.scripts.length") == 0
    assert browser.run("return performance.getEntriesByType('resource').length") == 0
    assert browser.complaints() == []


def show_on_phone(browser: Browser, page: Path) -> None:
    """Show a report on a phone with all unfolded, and require that nobody has to scroll sideways."""
    browser.resize(PHONE, 740)
    browser.open(page.as_uri())
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    assert browser.run("return document.documentElement.scrollWidth") <= PHONE


def keep(browser: Browser, name: str) -> None:
    """Keep a picture for the documentation, when pictures are wanted."""
    folder = os.environ.get(SCREENSHOTS)
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(browser.picture())
