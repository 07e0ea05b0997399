"""Opens the HTML page of the access report in Chromium.

The program writes the page of two sandboxes: one with access in every state, and one with 50,000 rows. The test sets each filter, compares the number of rows
with the CSV of the same sandbox, and repeats it at 400 and 1,400 pixels, light and dark. Nothing may appear on the console of the browser.

SCREENSHOTS names a folder for pictures of the page.
"""

import csv
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qs

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

PROGRAM = Path(os.environ["CARGO_TARGET_DIR"]) / "debug" / "okta-aws-sso"
SIZES = [(400, 800), (1400, 900)]
SCHEMES = ["light", "dark"]


def program(*arguments):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OKTA_")}
    return subprocess.run([PROGRAM, *arguments], env=environment, check=True, capture_output=True, text=True)


def write_report(access, folder):
    """Serves a sandbox, and writes its report as HTML and CSV."""
    ready = folder / f"{access}.json"
    sandbox = subprocess.Popen([PROGRAM, "rehearse", "--access", access, "--ready-file", ready], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while not ready.exists():
            if sandbox.poll() is not None or time.monotonic() > deadline:
                sys.exit("the sandbox did not start")
            time.sleep(0.1)
        page, table = folder / f"{access}.html", folder / f"{access}.csv"
        program("report", "--target", ready, "--full", "--format", "html", "--output", page)
        program("report", "--target", ready, "--full", "--format", "csv", "--output", table)
    finally:
        sandbox.send_signal(signal.SIGINT)
        sandbox.wait()
    with table.open(newline="", encoding="utf-8") as file:
        return page, list(csv.DictReader(file))


def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


class Page:
    def __init__(self, driver, path, size, scheme):
        self.driver, self.url, self.size = driver, path.as_uri(), size
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
        )
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.open("")

    def open(self, fragment):
        self.driver.get("about:blank")
        self.driver.get(self.url + fragment)

    def element(self, name):
        return self.driver.find_element(By.ID, name)

    def count(self):
        return self.element("count").text

    def set(self, **filters):
        self.element("clear").click() if self.element("clear").is_enabled() else None
        for name, value in filters.items():
            if name == "status":
                Select(self.element("status")).select_by_value(value)
            else:
                self.element(name).send_keys(value)

    def rows(self):
        return self.driver.find_elements(By.CSS_SELECTOR, "#rows .row")

    def script(self, text):
        return self.driver.execute_script(text)


def matches(row, person="", account="", role="", group="", status=""):
    """Returns whether a row of the CSV matches the filters of the page."""

    def has(part, *texts):
        return any(part.lower() in text.lower() for text in texts)

    return (
        has(person, row["user"])
        and has(account, row["account"], row["account_id"], row["account_path"])
        and has(role, row["role"])
        and has(group, row["group"])
        and (not status or row["status"] == {"no-members": "group without members"}.get(status, status.replace("-", " ")))
    )


def check_filters(page, rows, cases):
    total = len(rows)
    for filters in cases:
        page.set(**filters)
        expected = sum(1 for row in rows if matches(row, **filters))
        text = f"{expected:,} of {total:,} rows"
        assert page.count() == text, (filters, page.count(), text)
        shown = page.rows()
        assert len(shown) <= 60, f"{len(shown)} rows are in the document"
        assert bool(shown) == bool(expected)
        fragment = parse_qs(page.script("return location.hash.slice(1)"))
        assert fragment == {name: [value] for name, value in filters.items()}, fragment
    # The address alone gives the same rows.
    fragment = page.script("return location.hash")
    page.open(fragment)
    assert page.count() == text, (page.count(), text)
    page.set()
    assert page.count() == f"{total:,} of {total:,} rows", page.count()
    assert page.script("return location.hash") == ""


def check_layout(page):
    wide = page.script("return document.documentElement.scrollWidth")
    assert wide <= page.size[0], f"the page is {wide} pixels wide"
    outside = page.script(
        """return [...document.querySelectorAll("body *")].filter((one) => {
          const box = one.getBoundingClientRect();
          return box.width > 0 && (box.right > innerWidth + 1 || box.left < -1);
        }).map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert not outside, outside
    overlap = page.script(
        """return [...document.querySelectorAll("#rows .row")].flatMap((row) =>
          [...row.children].filter((cell) => cell.getBoundingClientRect().bottom > row.getBoundingClientRect().bottom + 1)
        ).length"""
    )
    assert overlap == 0, f"{overlap} cells are higher than their rows"


def check_keyboard(page, total):
    grid = page.element("grid")
    grid.send_keys(Keys.END)
    last = page.driver.find_element(By.CSS_SELECTOR, "#rows .row.current")
    assert int(last.get_attribute("aria-rowindex")) == total + 1
    box = page.script(
        """const row = document.querySelector("#rows .row.current").getBoundingClientRect();
        const list = document.getElementById("list").getBoundingClientRect();
        return row.top >= list.top - 1 && row.bottom <= list.bottom + 1"""
    )
    assert box, "the current row is not visible"
    grid.send_keys(Keys.ARROW_UP)
    assert page.element("grid").get_attribute("aria-activedescendant") == f"row-{total - 2}"
    grid.send_keys(Keys.ENTER)
    assert page.script("return document.getElementById('details').open")
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not page.script("return document.getElementById('details').open")
    grid.send_keys(Keys.HOME)


def screenshot(page, name):
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.driver.save_screenshot(str(Path(folder) / f"{name}.png"))


def main():
    cases = {
        "states": [
            {"person": "ADA"},
            {"account": "production"},
            {"role": "deploy"},
            {"group": "deployers"},
            {"status": "disabled-user"},
            {"status": "orphan"},
            {"status": "closed-account"},
            {"status": "no-members"},
            {"status": "active", "group": "deployers"},
            {"person": "\u05d0\u05d1", "account": "200000000001"},
        ],
        "large": [
            {"person": "person.00123"},
            {"account": "Workload 0008"},
            {"role": "Role07"},
            {"person": "person.00", "account": "Sandboxes", "role": "Role1"},
            {"person": "no such person"},
            {"person": "person.01", "status": "active"},
        ],
    }
    with tempfile.TemporaryDirectory() as folder:
        pages = {access: write_report(access, Path(folder)) for access in cases}
        assert len(pages["large"][1]) == 50_000, len(pages["large"][1])
        statuses = {row["status"] for row in pages["states"][1]}
        assert len(statuses) == 5, statuses
        driver = browser()
        try:
            backgrounds = set()
            for access, (path, rows) in pages.items():
                for size in SIZES:
                    for scheme in SCHEMES:
                        page = Page(driver, path, size, scheme)
                        screenshot(page, f"{access}-{size[0]}-{scheme}")
                        check_layout(page)
                        check_filters(page, rows, cases[access])
                        check_keyboard(page, len(rows))
                        check_layout(page)
                        backgrounds.add(page.script("return getComputedStyle(document.body).backgroundColor"))
                        assert page.script("return document.title") == "Access report"
                        log = driver.get_log("browser")
                        assert not log, log
                        print(f"ok {access}: {path.stat().st_size / 1e3:.0f} kB, {len(rows)} rows at {size[0]} pixels, {scheme}")
            assert len(backgrounds) == 2, backgrounds
            # Names are text, also those that look like HTML.
            page = Page(driver, pages["states"][0], SIZES[1], "light")
            texts = page.script("return [...document.querySelectorAll('#rows .line')].map((one) => one.textContent)")
            assert any("</script><script>" in text for text in texts), texts
            page.element("grid").send_keys(Keys.HOME, Keys.ENTER)
            screenshot(page, "details")
            # The policy of the page forbids every request.
            request = "const [done] = arguments; fetch('http://127.0.0.1:9/').then(() => done(false), () => done(true))"
            blocked = driver.execute_async_script(request)
            log = " ".join(entry["message"] for entry in driver.get_log("browser"))
            assert blocked and "Content Security Policy" in log, log
        finally:
            driver.quit()
    print("the page of the access report works")


main()
