"""What a denial denies: `未收到申请，也没有收费` is two zeros, each with its field."""

from __future__ import annotations

import re

from pipeline.prose.mentions import Mention
from pipeline.prose.rule_label import RuleLabel

_DENIED_OBJECTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("fees.processing_fee_yuan", re.compile(r"信息处理费")),
    (
        "fees.charged_yuan",
        re.compile(r"收费|收取|免费|分文|一分钱|收过|费用(?!减免)|免费提供|检索|复制费|邮寄费"),
    ),
    ("fees.waived_yuan", re.compile(r"减免|免收")),
    ("remedies.litigation_direct.total", re.compile(r"未经复议(?:而)?(?:直接)?(?:起诉|提起)")),
    ("remedies.litigation_after_review.total", re.compile(r"复议后(?:又)?(?:起诉|提起)|经复议又")),
    ("remedies.review.total", re.compile(r"(?<!未经)复议(?!后(?:又)?(?:起诉|提起))")),
    ("remedies.litigation.total", re.compile(r"诉讼|应诉")),
    ("complaints.total", re.compile(r"举报|投诉")),
    (
        "proactive.normative_documents.repealed",
        re.compile(r"废止[^，。；]{0,8}规范性文件|规范性文件[^，。；]{0,6}废止"),
    ),
    ("proactive.normative_documents.issued", re.compile(r"规范性文件")),
    ("proactive.regulations.issued", re.compile(r"(?:政府|地方政府)规章|制发规章|规章的")),
    ("engagement.press_conferences", re.compile(r"新闻发布会")),
    ("engagement.interviews", re.compile(r"访谈")),
    ("engagement.interpretations", re.compile(r"解读(?!不|力度|质量|机制)")),
    ("engagement.concern_responses", re.compile(r"(?:热点|舆情|关切|留言)(?:事件|问题)?(?!机制|制度)")),
    ("capacity.trainings", re.compile(r"培训班|办班|培训(?=[。；，]|$)")),
    ("capacity.budget_wan_yuan", re.compile(r"专项经费|工作经费|经费")),
    ("capacity.staff_full_time", re.compile(r"专职")),
    ("capacity.staff_part_time", re.compile(r"兼职")),
    ("capacity.offices", re.compile(r"专门机构")),
    ("capacity.reading_points", re.compile(r"查阅点|查阅场所")),
    (
        "requests.carried_in.total",
        re.compile(
            r"(?:上年|去年|往年|上一年度?|\d{4}年)[^，。；]{0,8}(?:结转|遗留)|遗留下来|结转(?:至|到)?本年"
        ),
    ),
    (
        "requests.carried_out.total",
        re.compile(r"结转(?:至|到)?(?:下|次|明|\d{4})|(?:下|次)一?年[^，。；]{0,6}(?:办理|结转)|遗留到"),
    ),
    ("requests.granted.total", re.compile(r"(?:予以|同意)公开")),
    ("requests.partially_granted.total", re.compile(r"部分公开")),
    ("requests.new_received.company", re.compile(r"企业(?=[^，。；]{0,12}申请)")),
    (
        "requests.new_received.legal_service",
        re.compile(r"(?:律师事务所|法律服务机构)(?=[^，。；]{0,12}申请)"),
    ),
    ("requests.new_received.other_organisation", re.compile(r"其他组织(?=[^，。；]{0,8}申请)")),
    ("requests.by_channel.fax", re.compile(r"传真")),
    ("requests.by_channel.mail", re.compile(r"信函(?!.*费)|邮寄(?![^，。]*费)")),
    ("requests.by_channel.in_person", re.compile(r"当面|现场(?=申请|提出|提交)")),
    ("requests.by_channel.online", re.compile(r"(?:网上|网络|在线)(?=[^，。]{0,12}申请)")),
    (
        "requests.new_received.total",
        re.compile(r"(?:依申请公开|公开申请|申请公开|信息的?申请|的申请|申请(?:事项|件|书)?)"),
    ),
)
_ALL_WAYS = 4
# Channels on which nothing was published; looked for only where nothing else is denied.
_DENIED_CHANNELS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("proactive.channel.weibo", re.compile(r"微博")),
    ("proactive.channel.wechat", re.compile(r"微信|公众号")),
    ("proactive.channel.gazette", re.compile(r"公报(?!名)")),
    ("proactive.channel.newspaper", re.compile(r"(?<!公)报[纸刊]")),
    ("proactive.channel.broadcast", re.compile(r"电视|广播|电台")),
)
# What looks like an application but names the ground of a review or lawsuit.
_GROUND = re.compile(
    r"(?<=复议)申请|因(?:政府|政务)?信息公开(?:申请|工作|问题|事项)?(?:而|所)?|"
    r"(?:政府|政务)?信息公开申请(?=(?:而)?(?:提起|引起|引发|被|产生)?的?(?:行政)?(?:复议|诉讼))|"
    r"申请(?=(?:人)?(?:的)?(?:行政)?复议|人|提起|行政)|依申请公开(?=[^，。；]{0,8}(?:收费|费用|收取|减免))|申请(?=[^，。；]{0,4}(?:收费|费用))"
)


def label_denial(mention: Mention) -> list[RuleLabel]:
    """One label for each field that the denial denies; one without a field where none is known."""
    if mention.subject is None:
        return []
    offset = mention.sentence.span.start
    subject = mention.sentence.marked[mention.subject.start - offset : mention.subject.end - offset]
    cleaned = _GROUND.sub("＿", subject)
    paths = [path for path, pattern in _DENIED_OBJECTS if pattern.search(cleaned)]
    if any(path.startswith(("requests.carried", "requests.granted", "requests.partially")) for path in paths):
        paths = [path for path in paths if path != "requests.new_received.total"]
    if "proactive.normative_documents.repealed" in paths:
        paths.remove("proactive.normative_documents.issued")
    if "fees.processing_fee_yuan" in paths:
        paths = [path for path in paths if path not in ("fees.charged_yuan",)]
    if (
        len(paths) > 1
        and "requests.new_received.total" in paths
        and not re.search(r"收到|接到|接收|受理|没有|无|依申请公开(?=[、，])", cleaned)
    ):
        paths.remove("requests.new_received.total")
    if re.search("公民|自然人|法人", cleaned):
        paths = [
            path for path in paths if not path.startswith("requests.new_received.") or path.endswith("total")
        ]
    # Where all ways are named, or 书面 stands for them, no application came in at all.
    ways = sum(path.startswith("requests.by_channel") for path in paths)
    in_general = ways >= _ALL_WAYS or re.search(r"书面|任何|各种|其[他它]", cleaned)
    if in_general and re.match(r"[未没]", cleaned) and "requests.new_received.total" in paths:
        paths = [path for path in paths if not path.startswith("requests.by_channel")]
    if any(path.startswith(("requests.by_channel", "requests.new_received.")) for path in paths[:-1]):
        paths = [path for path in paths if path != "requests.new_received.total"]
    if not paths and re.search(r"[发播刊登载]|[零无没]", cleaned):
        paths = [path for path, pattern in _DENIED_CHANNELS if pattern.search(cleaned)]
    if paths:
        return [RuleLabel(mention, path, "strong") for path in paths]
    headings = "".join(mention.sentence.headings[-1:])
    if len(mention.sentence.text) <= 6 and headings:
        found = [path for path, pattern in _DENIED_OBJECTS if pattern.search(_GROUND.sub("＿", headings))]
        return [RuleLabel(mention, path, "weak") for path in found]
    return [RuleLabel(mention, None, "none")]
