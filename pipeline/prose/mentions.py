"""Figures and zeros in the prose: what is said, how firmly, and where.

A mention is a candidate for a fact. Numbers that the grammar can tell are none
(dates, percentages, document numbers, articles of law, telephone numbers, names
that contain numbers, ordinals, enumerators) are left out here.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pipeline.document import Block, Document, Span
from pipeline.fact import Bound
from pipeline.numerals import Numeral, find_numerals, trailing_bound
from pipeline.prose.marks import with_full_marks

MEASURE_WORDS = (
    "条次", "件次", "人次", "场次", "篇次", "期次", "条", "件", "份", "篇", "期", "次", "场", "起", "宗", "例",
    "项", "则", "部", "批", "个", "处", "块", "张", "名", "人", "位", "万元", "元", "封", "家", "版", "段", "幅",
)  # fmt: skip
_MEASURE = re.compile(rf"(?: ?余)? ?(?P<unit>{'|'.join(MEASURE_WORDS)})")
_NOT_A_MEASURE = re.compile(
    r"个?(?:月|工作日|小时|百分点)|个(?:方面|部分|重点|专题|栏目|环节)|项(?:重点|工作|制度)"
    r"|人大|部门|期间|名称|次会|部分|件事|版块|项目标"
)

# Nouns that a denial can be about; `rules` says which field each is.
_OBJECT = re.compile(
    r"传真|信函|邮寄|当面|网上|电子邮件|申请|收费|收取|费用|处理费|减免|复议|诉讼|应诉|举报|投诉|案件|规范性文件|规章|发布会|访谈|解读|舆情|关切|热点|留言"
    r"|经费|培训|办班|专职|兼职|专门机构|查阅点|结转|遗留|公开的|予以公开|部分公开|微博|微信|公报|报[刊纸]|广播|电视|情况|情形"
)
_VERBS = (
    "废止|转办|碰到|遇到|见到|接收到|接收|接到|收到|收取|收过|收费|发生|产生|出现|引发|引起|受理|办理|减免|涉及|提起|进行|制发|制定|出台|召开|举办|举行"
    "|开展|发布|公开|安排|撰写|编写|配备|设立|设置|设|建立|列支|遗留下来|遗留|留有|结转|参加|组织|自办|办过|发过|有过|过|有"
)
DENIERS = re.compile(
    r"(?:均|也|亦|且|更|尚|从|都|全部|同时|并|皆|全年|暂)*"
    rf"(?P<denier>(?:(?:未曾|未|不曾)(?:被|有|再|曾)?(?:(?:{_VERBS})|(?=因|申请))|(?<!有)(?:没有|没|尚无)(?:被|有|再|曾)?(?:{_VERBS})?)(?:和减免|或减免|及减免|、减免|过|任何)?"
    r"|不存在|无(?:一[例起件宗])?(?=[^，。；]{0,24}(?:申请|复议|诉讼|收费|费用|减免|举报|投诉|案件|结转|遗留|规范性文件|规章|专职|兼职|发布会|访谈|(?:的|发生|此类|相关)情[况形]))"
    r"|无一[例起件宗]|[皆均更](?:无|为零|为0)(?![0-9.])"
    rf"|一[件起宗例次](?:也|都)?(?:没有|未发生|未收到|无)(?:{_VERBS})?|不(?:予|再|另)?(?:收费|收取)(?!标准|的)|一分钱(?:也|都)?(?:没有?|未)收?|花一分钱"
    r"|免费提供|免收(?=一切|任何|所有|全部)|分文未[收取]|(?:均|尚|全)?属?空白(?=[。；，]|$)|全无(?=[。；，]|$)|[均皆全]?挂零|零(?:配备|发生)|未见(?:一[起例件宗])?|没有一[起例件宗桩]|空无一[件起]|一[条封起件](?:也)?(?:不见|没有|未[播发见])|无人(?=[^，。；]{0,12}申请)|一律未收|未予收费|(?:全部|一律|均)免费|(?<!率)(?:均|都|同样)?(?<!率)为(?:零|0)(?![.0-9年元件])|零(?=申请|收费|投诉|复议|诉讼|举报)"
    r"|(?<=申请|方式|形式|渠道|传真|信函|当面|网上|邮件)无(?=[。；，、]|$)|(?<=[：:])无(?=[。；，]|$)|^无(?=[。；]|$))"
)
_NOT_DENIED = re.compile(
    r"未及时|未经|未来|未能|未按|未尽|未予(?!收费|减免)|未必|未成年|未审结|未办结|未结|未判|未按时|未补正|未掌握|未制作|未缴"
    r"|没有完全|没有现成|没有及时|无障碍|无论|无偿|无正当|无理由|无关|无法|无锡|未公开(?:目录|的)|未发现|没有其他|无其他|没有需要|无需"
)


_NUMBER_START = r"[0-9０-９一二三四五六七八九十百千约近逾超]"


@dataclass(frozen=True)
class Sentence:
    """A sentence of the prose with the headings above it, outermost first.

    `before` is what its paragraph says before it: topics are opened there. `marked` and
    `marked_before` are the same with full-width marks, in which wording is looked for.
    """

    text: str
    span: Span
    block: int
    page: int | None
    headings: tuple[str, ...]
    before: str = ""

    @cached_property
    def marked(self) -> str:
        """The sentence with full-width marks."""
        return with_full_marks(self.text)

    @cached_property
    def marked_before(self) -> str:
        """What its paragraph says before it with full-width marks."""
        return with_full_marks(self.before)


@dataclass(frozen=True, slots=True)
class Mention:
    """A figure with its measure word, or words that deny (`kind` is `zero`, value 0).

    `span` covers the print with the words that bound it; money has its value in
    yuan, whatever its unit; `subject` is, for a denial, the characters in which
    its objects are named.
    """

    kind: Literal["figure", "zero"]
    value: int | float
    bound: Bound
    unit: str | None
    span: Span
    sentence: Sentence
    subject: Span | None = None

    def raw(self, document: Document) -> str:
        """The characters as printed."""
        return document.slice(self.span)


# No sentence of a report comes near this; what is longer is data, or was made to take time.
LONGEST_SENTENCE = 2_000
# How far back in its paragraph a topic may have been opened.
_REACH = 4_000
_SENTENCE_END = re.compile(
    r"[。！？!?]+[”’」』）)]*|(?<=[\u4e00-\u9fff）)])[;；](?=\s*[一二三四五六七八九十]是)"
)


def find_sentences(document: Document) -> Iterator[Sentence]:
    """The sentences of all paragraphs in order; tables are left out."""
    headings: list[tuple[int, str]] = []
    for index, block in enumerate(document.blocks):
        if block.kind == "table":
            yield from _listed_rows(document, index, tuple(title for _, title in headings))
            continue
        text = document.slice(block.span)
        if block.kind == "heading":
            level = _heading_level(text)
            headings = [*(pair for pair in headings if pair[0] < level), (level, text)]
        chain = tuple(title for _, title in headings)
        yield from _split(block, index, text, chain)


_COUNTED = re.compile(rf"^\s*{_NUMBER_START}.*(?:{'|'.join(MEASURE_WORDS)})\s*$")


def _listed_rows(document: Document, index: int, headings: tuple[str, ...]) -> Iterator[Sentence]:
    """Rows `政府网站 | 302 条` of small tables within the prose, read as `政府网站：302 条`.

    The tables of the forms print bare figures: a measure word tells that a row is none of theirs.
    """
    block = document.blocks[index]
    if block.table is None:
        return
    for row in document.tables[block.table].rows:
        if len(row) == 2 and _COUNTED.match(row[1].text) and not _COUNTED.match(row[0].text):
            span = Span(row[0].span.start, row[1].span.end)
            yield Sentence(document.slice(span).replace("\t", "："), span, index, row[0].page, headings)


def _heading_level(text: str) -> int:
    if re.match(r"[一二三四五六七八九十]+[、.．]|第[一二三四五六七八九十]+[章部]", text):
        return 1
    return (
        2
        if re.match(r"[（(][一二三四五六七八九十]+[)）]", text)
        else 3
        if re.match(r"\d+[、.．]", text)
        else 0
    )


def _split(block: Block, index: int, text: str, headings: tuple[str, ...]) -> Iterator[Sentence]:
    start = 0
    for match in [*_SENTENCE_END.finditer(text), None]:
        end = len(text) if match is None else match.end()
        if text[start:end].strip():
            span = Span(block.span.start + start, block.span.start + end)
            before = text[max(0, start - _REACH) : start]
            yield Sentence(text[start:end], span, index, block.page, headings, before)
        start = end


def find_mentions(document: Document) -> tuple[Mention, ...]:
    """All figures and denials of the prose in order of place; `overlong_sentences` are left out."""
    found: list[Mention] = []
    for sentence in find_sentences(document):
        if len(sentence.text) <= LONGEST_SENTENCE:
            found.extend(_mentions_of(sentence))
    return tuple(found)


def overlong_sentences(document: Document) -> Iterator[Sentence]:
    """Sentences in which no figure is looked for."""
    longest = max((block.span.end - block.span.start for block in document.blocks), default=0)
    if longest <= LONGEST_SENTENCE:
        return iter(())
    return (sentence for sentence in find_sentences(document) if len(sentence.text) > LONGEST_SENTENCE)


def _mentions_of(sentence: Sentence) -> list[Mention]:
    mentions = [*_figures(sentence), *_denials(sentence)]
    return sorted(mentions, key=lambda mention: mention.span)


# What looks like a count and is none. Each alternative is one kind of decoy.
_DECOYS = re.compile(
    r"[12０-９0-9〇○零一二两OoＯ][0-9０-９〇○零OoＯ一二三四五六七八九]{3} ?年(?:度)?(?: ?[0-9０-９一二三四五六七八九十]{1,4} ?月(?:份)?)?(?: ?[0-9０-９一二三四五六七八九十]{1,3} ?日)?"
    r"|[0-9０-９一二三四五六七八九十]{1,3} ?月(?:份)?(?: ?[0-9０-９一二三四五六七八九十]{1,3} ?日)?"
    r"|[0-9０-９]{1,2} ?日|[0-9０-９]{4}[-—–/.][0-9]{1,2}[-/.][0-9]{1,2}"
    r"|[〔\[［【(（][12][0-9]{3}[〕\]］】)）] ?[0-9]+ ?号"
    r"|第 ?[0-9０-９〇零一二三四五六七八九十百]+ ?[\u4e00-\u9fff]"
    r"|(?:百分之[零一二三四五六七八九十百点]+|[0-9０-９.．]+ ?[%％‰])"
    r"|[（(][0-9一二三四五六七八九十]{1,3}[)）](?! ?(?:件|条|篇))|(?:^|(?<=[。；：:，,]))[0-9]{1,2}[.．、](?![0-9])"
    r"|[0-9]{3,4}[-－—][0-9]{7,8}|(?<![0-9])[0-9]{5,11}(?=[^\s，。；、条件份篇元人次]{0,8}(?:热线|平台|中心|电话|专线|工单|来电))"
    r"|(?:电话|传真|邮编|邮政编码|号码|热线|编号)[^，。；]{0,6}?[0-9][0-9-]{4,}"
    r"|[一二三四五六七八九十]是(?=[\u4e00-\u9fff])|[“\"][一二三四五六七八九十两0-9]+[\u4e00-\u9fff]{0,6}[”\"]"
    r"|[0-9０-９]+ ?(?:号|室|楼|时|点|分|页|级|天|岁|倍|米|公里|个百分点|个工作日|个月|年)(?![\u4e00-\u9fff]*人)"
    r"|(?:没有|未有?|无)[\u4e00-\u9fff]{0,5}一[起件宗例](?=[^，。；]{0,24}(?:申请|复议|诉讼|举报|投诉|案))"
    r"|一[件起宗例次条封](?:也|都)?(?:没有|未|无|不见)"
    r"|计(?:为|算为)? ?[1１一] ?[条件]|一网|一门|一次(?:性|办)|一体|一站|一件事|一些|一定|一律|一致|一般|一步|一方面|一系列|统一|第一|一批|一把手|一年来|一名副"
    r"|两会|两学|两微|三公|三农|三定|四风|五公开|唯一|五位|六稳|六保|[三四五六七八]类(?:信息|事项|内部|过程)|十九大|十八大|二十大|十八届|十九届|千家万户|万众|万元以[上下]"
)
_BAD_LEFT = re.compile(r"[A-Za-z0-9０-９.．〇○零一二三四五六七八九十百千若第]$|[无未]有?$")
_VAGUE_LEFT = re.compile(r"[数几]$")


def _figures(sentence: Sentence) -> Iterator[Mention]:
    text, offset = sentence.text, sentence.span.start
    numerals = tuple(find_numerals(text))
    if not numerals:
        return
    blocked = [(match.start(), match.end()) for match in _DECOYS.finditer(text)]
    starts = [start for start, _ in blocked]
    for numeral in numerals:
        place = bisect_right(starts, numeral.span.start) - 1
        if (
            place >= 0
            and numeral.span.start < blocked[place][1] <= len(text)
            and blocked[place][1] > numeral.span.start
        ):
            continue
        if _BAD_LEFT.search(_left_of(text, numeral)) or _is_vague(text, numeral):
            continue
        mention = _with_measure(sentence, numeral, offset)
        if mention is not None:
            yield mention


def _is_vague(text: str, numeral: Numeral) -> bool:
    """`数十条`, `几百条`; but `申请数 18 件` counts."""
    return text[numeral.span.start] in "十百千万" and _VAGUE_LEFT.search(_left_of(text, numeral)) is not None


def _left_of(text: str, numeral: Numeral) -> str:
    """The characters right before a numeral, as many as a pattern looks at."""
    return text[max(0, numeral.span.start - 3) : numeral.span.start]


def _with_measure(sentence: Sentence, numeral: Numeral, offset: int) -> Mention | None:
    """The mention with its measure word; a bare figure counts only behind a colon or 为/共."""
    text = sentence.text
    match = _MEASURE.match(text, numeral.span.end)
    bound, end, unit, value = numeral.bound, numeral.span.end, None, numeral.value
    if match is not None and not _NOT_A_MEASURE.match(text, match.start("unit")):
        unit, end = match["unit"], match.end()
        if unit == "元" and text[numeral.span.start : numeral.span.end].rstrip("余多几").endswith("万"):
            unit = "万元"
        if "余" in match.group():
            bound = "at_least"
        end, value = _with_small_money(text, end, unit, numeral.value)
        later = trailing_bound(text, end)
        if later is not None and bound == "exact":
            bound, end = later
    elif not _is_bare_count(text, numeral):
        return None
    span = Span(offset + numeral.span.start, offset + end)
    return Mention("figure", value, bound, unit, span, sentence)


def _with_small_money(text: str, end: int, unit: str, value: int | float) -> tuple[int, int | float]:
    """The end and value of `18元5角` when 角 and 分 follow the yuan."""
    match = re.match(r"([0-9])角(?:([0-9])分)?", text[end:]) if unit == "元" else None
    if match is None:
        return end, value
    return end + match.end(), round(value + int(match[1]) / 10 + int(match[2] or 0) / 100, 2)


def _is_bare_count(text: str, numeral: Numeral) -> bool:
    before, after = text[: numeral.span.start], text[numeral.span.end :]
    if not re.search(r"[0-9０-９]$", text[numeral.span.start : numeral.span.end]):
        return False
    has_cue = (
        re.search(r"(?:数|量|总计|合计|共计|信息|申请|公开)(?:为|是|共|达)?[：:]?\s*$", before) is not None
    )
    return has_cue and re.match(r"\s*(?:[，,。；;、)）]|$)", after) is not None


_WAYS = re.compile("当面|传真|网络|网上|信函")
_CLAUSE_START = re.compile(r"[，,；;。]")


def _denials(sentence: Sentence) -> Iterator[Mention]:
    text, offset = sentence.text, sentence.span.start
    matches = [
        match
        for match in DENIERS.finditer(text)
        if not _NOT_DENIED.match(text, match.start("denier")) and not _is_outcome(text, match)
    ]
    for number, match in enumerate(matches):
        start, end = match.start("denier"), match.end("denier")
        next_start = matches[number + 1].start() if number + 1 < len(matches) else len(text)
        previous_end = matches[number - 1].end() if number else 0
        subject = _subject(text, start, end, next_start, previous_end)
        yield Mention(
            "zero",
            0,
            "exact",
            None,
            Span(offset + start, offset + end),
            sentence,
            Span(offset + subject.start, offset + subject.end),
        )


def _is_outcome(text: str, match: re.Match[str]) -> bool:
    """`信息不存在 1 件` and `“信息不存在”` name an outcome of applications, they deny nothing."""
    if match["denier"] != "不存在":
        return False
    if text[: match.start("denier")].endswith("信息"):
        return True
    return (
        re.match(r"[”\"：:]|答复|而|的?有?\s*[0-9０-９一二三四五六七八九十两]|[，。；]", text[match.end() :])
        is not None
    )


def _subject(text: str, start: int, end: int, next_start: int, previous_end: int) -> Span:
    """Where a denial names what it denies: behind it, or before it if nothing is named behind."""
    stop = _stop_of_objects(text, end, next_start)
    own = max((match.end() for match in _CLAUSE_START.finditer(text, 0, start)), default=0)
    if re.match(r"(?:的)?[，,；;。]|$", text[end:]) and _OBJECT.search(text, max(own, previous_end), start):
        return Span(max(own, previous_end), end)
    if re.search("收费|收取|减免|办班", text[start:end]):
        return Span(start, stop)
    if re.search("结转|遗留", text[end:stop]):
        return Span(max(own, previous_end), stop)
    if len(_WAYS.findall(text, max(own, previous_end), start)) > 1 and text[end:stop].startswith("申请"):
        return Span(max(own, previous_end), stop)
    if _OBJECT.search(text, end, stop) or (re.search("收|减免", text[start:end]) and stop > end + 2):
        return Span(start, stop)
    begin = max(previous_end, text.rfind("；", 0, start) + 1, text.rfind(";", 0, start) + 1)
    return Span(begin, end)


def _stop_of_objects(text: str, end: int, next_start: int) -> int:
    """Objects go on over commas only while the clauses name further objects and no figure."""
    stop = next_start
    for match in _CLAUSE_START.finditer(text, end, next_start):
        following = re.split(r"[，,；;。]", text[match.end() : next_start], maxsplit=1)[0]
        if not _OBJECT.search(following) or re.search(r"[0-9０-９]", following):
            stop = match.start()
            break
    return stop
