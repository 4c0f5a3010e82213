"""Names of Stata variables: dotted paths in at most 32 characters.

A name depends on the column alone, never on the other columns, so that a script goes on
working with the next export. Parts of a path are abbreviated by the list below and joined
with `_`; `__status` becomes `_st`. What is still too long, or holds what a name cannot
hold, is cut and gets six characters of its hash. Only where two columns of one table would
then have the same name, both get the hash.

    requests.new_received.natural_person            rq_new_received_natural
    requests.denied_state_secret.total__status      rq_dn_secret_total_st
    h_requests_received                             h_requests_received
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Sequence

LONGEST = 32
_SUFFIXES = {
    "__narrative_status": "_nar_st",
    "__narrative_bound": "_nar_bd",
    "__narrative": "_nar",
    "__status": "_st",
    "__source": "_src",
    "__bound": "_bd",
    "__numerator": "_num",
    "__denominator": "_den",
    "__deadline": "_due",
    "__basis": "_bas",
}
# So that a variable and its companions share their beginning.
_LONGEST_BASE = LONGEST - max(len(suffix) for suffix in _SUFFIXES.values())
_HASH_LENGTH = 6

_PARTS = {
    # groups
    "proactive": "pa",
    "engagement": "eng",
    "requests": "rq",
    "remedies": "rm",
    "complaints": "cmp",
    "capacity": "cap",
    "statistics": "st",
    # proactive disclosure
    "channel": "ch",
    "disclosure_platform": "platform",
    "regulations": "regul",
    "normative_documents": "normdoc",
    "other_services": "oth_serv",
    "administrative_fees": "admfee",
    "procurement": "procure",
    "items_previous": "items_prev",
    "disclosed_total": "discl_total",
    # requests: applicants and rows
    "natural_person": "natural",
    "legal_service": "legal",
    "other_organisation": "other_org",
    "by_channel": "ch",
    "partially_granted": "part_granted",
    "denied_state_secret": "dn_secret",
    "denied_law_prohibits": "dn_law",
    "denied_security_stability": "dn_security",
    "denied_third_party": "dn_third",
    "denied_internal_affairs": "dn_internal",
    "denied_deliberative": "dn_delib",
    "denied_enforcement_file": "dn_enforce",
    "denied_administrative_query": "dn_query",
    "unavailable_not_held": "un_not_held",
    "unavailable_must_be_created": "un_create",
    "unavailable_unclear": "un_unclear",
    "unprocessed_petition": "up_petition",
    "unprocessed_repeat": "up_repeat",
    "unprocessed_publication": "up_publish",
    "unprocessed_mass": "up_mass",
    "unprocessed_confirmation": "up_confirm",
    "other_outcome": "oth_outcome",
    "other_not_corrected": "oth_not_corr",
    "other_fee_unpaid": "oth_unpaid",
    "other_misc": "oth_misc",
    # review and litigation
    "litigation": "lit",
    "litigation_direct": "lit_direct",
    "litigation_after_review": "lit_after",
    # statistics table
    "normative_documents_disclosed": "normdoc_disclosed",
    "normative_documents_issued": "normdoc_issued",
    "normative_documents_new": "normdoc_new",
    "press_conferences_leader": "press_conf_leader",
    "weibo_wechat_responses": "weibo_wechat_resp",
    "answered_already_public": "ans_already_public",
    "answered_partially_granted": "ans_part_granted",
    "answered_not_this_body": "ans_not_this_body",
    "answered_correction_requested": "ans_corr_requested",
    "answered_other_route": "ans_other_route",
    "denied_trade_secret": "dn_trade_secret",
    "denied_not_government_information": "dn_not_gov_info",
    "catalogue_on_request": "catalogue_request",
    "consultations_in_person": "consult_in_person",
    "consultations_online": "consult_online",
    "consultations_phone": "consult_phone",
    "consultations_total": "consult_total",
    "dispute_costs_wan_yuan": "dispute_wan_yuan",
    "appeals_first_handling": "appeals_first",
    "staff_civil_servants": "staff_civil_serv",
}
# What Stata keeps for itself, apart from names that begin with `_`.
_RESERVED = {
    *("byte", "double", "float", "if", "in", "int", "long", "using", "with", "strL"),
    *(f"str{width}" for width in range(1, 2046)),
}
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def stata_suffix(suffix: str) -> str:
    """What becomes of `__status` and the like."""
    return _SUFFIXES[suffix]


def stata_name(name: str) -> str:
    """The variable of a column that stands in no table with another of the same name."""
    suffix = next((suffix for suffix in _SUFFIXES if name.endswith(suffix)), "")
    base = name.removesuffix(suffix)
    short = "_".join(_PARTS.get(part, part) for part in base.split(".")) if "." in base else base
    if _PLAIN.fullmatch(short) and short not in _RESERVED and len(short) <= _LONGEST_BASE:
        return short + _SUFFIXES.get(suffix, "")
    return _with_hash(short, base, _LONGEST_BASE) + _SUFFIXES.get(suffix, "")


def stata_names(names: Sequence[str]) -> dict[str, str]:
    """Column → variable for the columns of a table: each valid, no two the same."""
    if len(set(names)) != len(names):
        raise ValueError(f"a column stands twice in the table: {Counter(names).most_common(1)[0][0]}")
    variables = {name: stata_name(name) for name in names}
    attempt = 0
    while doubled := _doubled(variables):
        for name in doubled:
            variables[name] = _with_hash(variables[name], f"{name}\0{attempt}", LONGEST)
        attempt += 1
    return variables


def _doubled(variables: dict[str, str]) -> list[str]:
    """Columns whose variable another column has too; one that is called so itself keeps it."""
    times = Counter(variables.values())
    return [name for name, variable in variables.items() if times[variable] > 1 and name != variable]


def _with_hash(readable: str, whole: str, longest: int) -> str:
    """A valid name: as much of `readable` as there is room for, then the hash of `whole`."""
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).digest()
    ending = base64.b32encode(digest).decode("ascii").lower()[:_HASH_LENGTH]
    kept = re.sub(r"[^A-Za-z0-9]+", "_", readable).strip("_")
    if not kept or kept[0].isdigit():
        kept = f"v_{kept}".rstrip("_")
    return f"{kept[: longest - _HASH_LENGTH - 1].rstrip('_')}_{ending}"
