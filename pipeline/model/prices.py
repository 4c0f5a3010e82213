"""What asking a model costs: prices by model and endpoint, each with the day on which it was known to hold.

`prices.yaml` beside this module tells its form and where its figures come from. A model
on this machine costs nothing; one that no row names has no price, which is not zero.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import ip_address
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import UsageError
from pipeline.model.catalog import MODELS

_SHIPPED = Path(__file__).with_name("prices.yaml")
_MILLION = 1_000_000
_DATED = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8})$")
_BUDGET = re.compile(r"(?:\$\s*(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)\s*usd)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Rates:
    """Dollars for a million tokens: read anew, held by a prefix cache, written."""

    input: float
    cached_input: float
    output: float


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in dollars, and who stated it when.

    `batch` is None where no price of the batch endpoint is known. A vendor that states
    `currency` CNY was converted at the rate in the file. Requests that read more than
    `up_to_input_tokens` cost more than this. `as_of` is None for what is free.
    """

    model: str
    rates: Rates
    source: str
    batch: Rates | None = None
    as_of: dt.date | None = None
    currency: Literal["USD", "CNY"] = "USD"
    up_to_input_tokens: int | None = None

    def cost_usd(
        self, input_tokens: int, cached_tokens: int, output_tokens: int, *, batch: bool = False
    ) -> float:
        """Dollars for `input_tokens` read, `cached_tokens` of them from a cache, and `output_tokens` written.

        Where no batch price is known `batch` costs as much as without.
        """
        rates = self.batch if batch and self.batch is not None else self.rates
        # Servers count on their own: more cached than read must not make a cost negative.
        cached = min(cached_tokens, input_tokens)
        fresh = input_tokens - cached
        dollars = fresh * rates.input + cached * rates.cached_input + output_tokens * rates.output
        return dollars / _MILLION


_NOTHING = Rates(0.0, 0.0, 0.0)
FREE = Price("any", _NOTHING, "runs on this machine", batch=_NOTHING)

_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Name = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _PerMillion(_Strict):
    input: _Amount
    output: _Amount
    cached_input: _Amount | None = None
    cache_write: _Amount | None = None

    def dollars(self, factor: float) -> Rates:
        """Rates times `factor`; what the cache did not hold is written to it, at the higher price."""
        cached = self.input if self.cached_input is None else self.cached_input
        fresh = max(self.input, self.cache_write or 0.0)
        return Rates(factor * fresh, factor * cached, factor * self.output)


class _ExchangeRate(_Strict):
    rate: _Positive
    as_of: dt.date
    source: _Name


class _Row(_Strict):
    model: _Name
    aliases: tuple[_Name, ...] = ()
    hosts: Annotated[tuple[_Name, ...], Field(min_length=1)]
    currency: Literal["USD", "CNY"] = "USD"
    per_million: _PerMillion
    batch: Annotated[float, Field(gt=0, le=1)] | _PerMillion | None = None
    first_day: dt.date | None = Field(default=None, alias="from")
    up_to_input_tokens: Annotated[int, Field(gt=0)] | None = None
    as_of: dt.date
    source: _Name

    def price(self, usd_per_cny: float) -> Price:
        """The row in dollars."""
        factor = usd_per_cny if self.currency == "CNY" else 1.0
        batch = None
        if isinstance(self.batch, float):
            batch = self.per_million.dollars(factor * self.batch)
        elif self.batch is not None:
            batch = self.batch.dollars(factor)
        return Price(
            model=self.model,
            rates=self.per_million.dollars(factor),
            source=self.source,
            batch=batch,
            as_of=self.as_of,
            currency=self.currency,
            up_to_input_tokens=self.up_to_input_tokens,
        )


class _PriceFile(_Strict):
    usd_per_cny: _ExchangeRate | None = None
    prices: tuple[_Row, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row of one file, with what `find` asks of it in lower case."""

    row: _Row
    price: Price
    names: tuple[str, ...]

    def fits_host(self, host: str) -> bool:
        return any(fnmatchcase(host, pattern.lower()) for pattern in self.row.hosts)

    def began(self, day: dt.date) -> bool:
        return self.row.first_day is None or self.row.first_day <= day


# How a model may be named, in the order in which rows are looked for.
_WAYS: tuple[Callable[[_Entry, str], bool], ...] = (
    lambda entry, name: name == entry.names[0],
    lambda entry, name: any(fnmatchcase(name, alias) for alias in entry.names[1:]),
    lambda entry, name: bool(_DATED.search(name)) and _DATED.sub("", name) in entry.names,
)


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices of one or two files, one after the other."""

    files: tuple[tuple[_Entry, ...], ...]

    def __len__(self) -> int:
        return sum(map(len, self.files))

    def find(self, model: str, base_url: str | None, on: dt.date | None = None) -> Price | None:
        """The price of `model` at the endpoint on the day `on`, today if not given; None if unknown.

        What runs on this machine is FREE unless the user's own file has it: a loopback address
        (there may be a proxy of a paid model), or without address an embedded model. A row must
        fit the endpoint's host and, in this order, the name, an alias, or either with a date
        behind it. Upper and lower case are the same.
        """
        if not base_url:
            return FREE if model in MODELS else None
        host = (urlsplit(base_url).hostname or "").lower()
        day = on or dt.datetime.now(dt.UTC).date()
        is_here = _is_loopback(host)
        for entries in self.files[:-1] if is_here else self.files:
            there = [entry for entry in entries if entry.fits_host(host) and entry.began(day)]
            for fits in _WAYS:
                found = [entry for entry in there if fits(entry, model.lower())]
                if found:
                    return max(found, key=_first_day).price
        return FREE if is_here else None


def _first_day(entry: _Entry) -> dt.date:
    return entry.row.first_day or dt.date.min


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def load_prices(path: Path | None = None) -> PriceList:
    """The prices that come with the package, those of `path` before them.

    Raises UsageError that names file, row and value when a file is not of the form.
    """
    own = () if path is None else (_load(path),)
    return PriceList((*own, _load(_SHIPPED)))


def _load(path: Path) -> tuple[_Entry, ...]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        file = _PriceFile.model_validate(content)
    except OSError as error:
        raise UsageError(f"price file {path}: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"price file {path} is no YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        raise UsageError(f"price file {path}: {_what_is_wrong(content, error)}") from error
    _refuse_twins(file.prices, path)
    if file.usd_per_cny is None and (yuan := [row.model for row in file.prices if row.currency == "CNY"]):
        raise UsageError(
            f"price file {path}: {', '.join(yuan)} in CNY, but no usd_per_cny: {{rate, as_of, source}}"
        )
    usd_per_cny = file.usd_per_cny.rate if file.usd_per_cny else 0.0
    return tuple(
        _Entry(row, row.price(usd_per_cny), tuple(name.lower() for name in (row.model, *row.aliases)))
        for row in file.prices
    )


def _what_is_wrong(content: Any, error: ValidationError) -> str:
    """The first fault: row by number and model, key, value, and what is allowed."""
    fault = error.errors(include_url=False)[0]
    place = list(fault["loc"])
    where = ""
    if len(place) > 1 and place[0] == "prices" and isinstance(place[1], int):
        row = content["prices"][place[1]]
        model = row.get("model") if isinstance(row, dict) else None
        where = f"row {place[1] + 1} ({model or 'no model'}), "
        place = place[2:]
    return f"{where}{'.'.join(map(str, place)) or 'the file'}: {fault['msg']}, found {fault['input']!r}"


def _refuse_twins(rows: tuple[_Row, ...], path: Path) -> None:
    """Two rows of which `find` could not tell which holds."""
    keys = sorted((row.model.lower(), host, str(row.first_day)) for row in rows for host in row.hosts)
    for (model, host, first_day), same in groupby(keys):
        if len(list(same)) > 1:
            since = "" if first_day == "None" else f" from {first_day}"
            raise UsageError(f"price file {path}: {model!r} at {host}{since} stands there twice")


def parse_budget(text: str) -> float:
    """Dollars of `20usd`, `20 USD`, `$20` or `0.5usd`; UsageError for anything else and for nothing."""
    match = _BUDGET.fullmatch(text.strip())
    dollars = float(match[1] or match[2]) if match else 0.0
    if dollars <= 0:
        raise UsageError(
            f"budget {text!r}: write an amount above zero in dollars, such as 20usd, 0.5usd or $20"
        )
    return dollars
