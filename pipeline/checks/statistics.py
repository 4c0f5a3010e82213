"""Identities of the statistics table of 2014–2018, and prose against that table.

Sums are of the national form (国办发〔2014〕32号). A part that a local form adds is counted
where it is printed; a part that is not printed, blank or `/` leaves the sum open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.checks.cross import Counterpart, compare
from pipeline.checks.findings import Identity, added, labels, shown
from pipeline.checks.operands import Reading, equal, number, total
from pipeline.fact import Fact, Finding, Severity

YUAN_IN_WAN_YUAN = 10_000


@dataclass(frozen=True, slots=True)
class Sum:
    """`whole` = all `parts` + those of `more` that are printed, unless one of `unless` is printed."""

    whole: str
    parts: tuple[str, ...]
    more: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    severity: Severity = "error"


_REASONS = (
    "denied_state_secret",
    "denied_trade_secret",
    "denied_privacy",
    "denied_security_stability",
    "denied_not_government_information",
    "denied_other_law",
)
_LOCAL_REASONS = (
    "denied_nonexistent",
    "denied_not_held",
    "denied_unclear",
    "denied_repeat",
    "denied_deliberative",
    "denied_enforcement",
    *(f"denied_exempt_{number}" for number in range(1, 8)),
    "denied_other",
)
_OUTCOMES = (
    "answered_already_public",
    "answered_granted",
    "answered_partially_granted",
    "answered_denied",
    "answered_not_this_body",
    "answered_nonexistent",
    "answered_correction_requested",
    "answered_other_route",
)
_LOCAL_OUTCOMES = ("answered_not_held", "answered_unclear", "answered_repeat", "answered_other")
_CHANNELS = (
    "disclosed_gazette",
    "disclosed_website",
    "disclosed_weibo",
    "disclosed_wechat",
    "disclosed_other",
)
_LOCAL_CHANNELS = ("disclosed_newspaper", "disclosed_broadcast", "disclosed_notice_board")

SUMS = (
    Sum(
        "received_total",
        ("received_in_person", "received_fax", "received_online", "received_mail"),
        more=("received_other",),
        unless=("received_web", "received_email"),
    ),
    Sum(
        "received_total",
        ("received_in_person", "received_fax", "received_web", "received_email", "received_mail"),
        more=("received_other",),
        unless=("received_online",),
    ),
    Sum("concluded_total", ("concluded_on_time", "concluded_extended")),
    Sum("answered_total", _OUTCOMES, more=_LOCAL_OUTCOMES),
    Sum("answered_denied", _REASONS, more=_LOCAL_REASONS),
    Sum("review_total", ("review_upheld", "review_corrected", "review_other")),
    Sum("litigation_total", ("litigation_upheld", "litigation_corrected", "litigation_other")),
    # The form lists the two kinds under the total without saying that there are no others.
    Sum("staff_total", ("staff_full_time", "staff_part_time"), severity="warning"),
)

LEADER_PARTS = (("press_conferences_leader", "press_conferences"), ("interviews_leader", "interviews"))

# Prose field → row that counts the same.
SAME_COUNT = {
    "proactive.total": "disclosed_total",
    "proactive.cumulative_total": "disclosed_cumulative",
    "proactive.channel.gazette": "disclosed_gazette",
    "proactive.channel.website": "disclosed_website",
    "proactive.channel.weibo": "disclosed_weibo",
    "proactive.channel.wechat": "disclosed_wechat",
    "proactive.normative_documents.disclosed": "normative_documents_disclosed",
    "proactive.normative_documents.issued": "normative_documents_issued",
    "engagement.press_conferences": "press_conferences",
    "engagement.interviews": "interviews",
    "engagement.interpretations": "interpretations",
    "requests.new_received.total": "received_total",
    "requests.by_channel.in_person": "received_in_person",
    "requests.by_channel.fax": "received_fax",
    "requests.by_channel.online": "received_online",
    "requests.by_channel.mail": "received_mail",
    "requests.concluded.total": "concluded_total",
    "requests.answered.total": "answered_total",
    "requests.granted.total": "answered_granted",
    "requests.partially_granted.total": "answered_partially_granted",
    "requests.denied_state_secret.total": "denied_state_secret",
    "remedies.review.total": "review_total",
    "remedies.review.upheld": "review_upheld",
    "remedies.review.corrected": "review_corrected",
    "remedies.litigation.total": "litigation_total",
    "remedies.litigation.upheld": "litigation_upheld",
    "remedies.litigation.corrected": "litigation_corrected",
    "fees.charged_yuan": "fees_wan_yuan",
    "complaints.total": "complaints_total",
    "capacity.offices": "offices",
    "capacity.reading_points": "reading_points",
    "capacity.staff_full_time": "staff_full_time",
    "capacity.staff_part_time": "staff_part_time",
    "capacity.budget_wan_yuan": "budget_wan_yuan",
    "capacity.meetings": "meetings",
    "capacity.trainings": "trainings",
    "capacity.trainees": "trainees",
}


def check(reading: Reading) -> Iterator[Finding]:
    """`stat2014.total`, `.leader`, `.channels`, and `cross.*` between prose and table."""
    printed = {fact.path for fact in reading.facts if fact.source == "table"}
    if not any(path.startswith("statistics.") for path in printed):
        return
    for identity in SUMS:
        yield from _sum(reading, identity, printed)
    for part, whole in LEADER_PARTS:
        yield from _leader(reading, part, whole)
    yield from _channels(reading, printed)
    for prose, key in SAME_COUNT.items():
        yield from compare(reading, _counterpart(prose, key))


def path(key: str) -> str:
    """The field of a row."""
    return f"statistics.{key}"


def _sum(reading: Reading, identity: Sum, printed: set[str]) -> Iterator[Finding]:
    more = [key for key in identity.more if path(key) in printed]
    operands = reading.cells(path(key) for key in (*identity.parts, *more, identity.whole))
    if operands is None or any(path(key) in printed for key in identity.unless):
        return
    *parts, whole = operands
    if equal(total(parts), number(whole)):
        return
    given = [fact for fact in parts if number(fact)] or parts[:1]
    yield Identity("stat2014.total", identity.severity, identity.whole).broken(
        reading,
        operands,
        where=labels(whole.path)[-1],
        message=f"the parts {added(given)} = {total(parts)}, but the total prints {shown(whole)}",
        expected=total(parts),
        printed=number(whole),
    )


def _leader(reading: Reading, part: str, whole: str) -> Iterator[Finding]:
    operands = reading.cells((path(part), path(whole)))
    if operands is None or number(operands[0]) <= number(operands[1]):
        return
    led, held = operands
    yield Identity("stat2014.leader", "error", whole).broken(
        reading,
        operands,
        where=labels(held.path)[-1],
        message=f"{shown(led)} with the leading official, but only {shown(held)} in all",
        expected=number(held),
        printed=number(led),
    )


def _channels(reading: Reading, printed: set[str]) -> Iterator[Finding]:
    """No channel can have more than the total, nor the total more than all channels together."""
    whole = reading.cell(path("disclosed_total"))
    if whole is None:
        return
    keys = (*_CHANNELS, *(key for key in _LOCAL_CHANNELS if path(key) in printed))
    channels = {key: cell for key in keys if (cell := reading.cell(path(key))) is not None}
    for key, channel in channels.items():
        if number(channel) > number(whole):
            message = f"{shown(channel)} on this channel, but only {shown(whole)} in all"
            yield _channel_finding(reading, key, [channel, whole], message)
    if len(channels) == len(keys) and number(whole) > total(channels.values()):
        parts = list(channels.values())
        message = f"{shown(whole)} in all, but the channels {added(parts)} make only {total(parts)}"
        yield _channel_finding(reading, "disclosed_total", [*parts, whole], message)


def _channel_finding(reading: Reading, at: str, operands: list[Fact], message: str) -> Finding:
    *parts, whole = operands
    return Identity("stat2014.channels", "warning", at).broken(
        reading,
        operands,
        where=labels(path(at))[-1],
        message=message,
        expected=total(parts),
        printed=number(whole),
    )


def _counterpart(prose: str, key: str) -> Counterpart:
    """The rule is called after the prose field's group, at its row, as for the later tables."""
    group, _, place = prose.partition(".")
    if place.startswith("normative_documents."):
        group, _, place = place.partition(".")
    at = place.removesuffix(".total") if group == "requests" else place
    if group == "remedies":
        at = place.partition(".")[0]
    factor = YUAN_IN_WAN_YUAN if prose.endswith("_yuan") and not prose.endswith("_wan_yuan") else 1
    return Counterpart(f"cross.{group}", at, prose, (path(key),), factor)
