"""A real browser for the reports: Chromium without a network, and what it complains about."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
Scheme = Literal["light", "dark"]


@dataclass
class Watched:
    """An open page, and all that it complained about or asked for beyond its own file."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    """The machine's Chromium, with further flags. Without one the test is skipped, on CI it fails."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        missing = f"no browser: none of {', '.join(NAMES)} is installed"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, file: Path, width: int = 1280, scheme: Scheme = "light") -> Iterator[Watched]:
    """`file` opened from disk, offline, in a window of `width` pixels."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True, reduced_motion="reduce"
    )
    context.set_default_timeout(10_000)
    watched = Watched(context.new_page())
    watched.page.on("console", lambda message: watched.complaints.append(message.text))
    watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    watched.page.on(
        "dialog", lambda dialog: (watched.complaints.append(f"dialog {dialog.message}"), dialog.dismiss())
    )
    watched.page.on("request", lambda request: watched.requests.append(request.url))
    watched.page.goto(file.as_uri())
    yield watched
    context.close()
