"""Who reports, for when: made-up reports about places that do not exist, and the real ones' facts."""

from pathlib import Path

import pytest

from pipeline.document import Document, DocumentBuilder, Span
from pipeline.errors import NotAReport
from pipeline.metadata.issuers import issuer_type, read_title
from pipeline.metadata.phones import contact_phone
from pipeline.metadata.reading import is_report, read_metadata, require_report
from pipeline.printed import pack
from pipeline.read import read_document

BODY = (
    "一、主动公开情况",
    "全年主动公开信息120条。",
    "二、依申请公开情况",
    "未收到公开申请，未收取费用。",
    "三、复议诉讼情况",
    "未发生行政复议和行政诉讼。存在的问题是更新不够及时。",
)


def document(*paragraphs: str, metadata: dict[str, str] | None = None) -> Document:
    builder = DocumentBuilder()
    for label, value in (metadata or {}).items():
        builder.add_metadata(label, value)
    for paragraph in paragraphs:
        builder.add_text("paragraph", paragraph)
    return builder.build(doc_id="x", file="x.txt", sha256="0", media_type="text/plain")


def facts(read: Document) -> dict[str, int | float | str | None]:
    return {fact.path.removeprefix("meta."): fact.value for fact in read_metadata(read).facts}


@pytest.mark.parametrize(
    ("title", "name", "year"),
    [
        ("岚塬县人民政府2016年政府信息公开工作年度报告", "岚塬县人民政府", 2016),
        ("岚塬县政务服务管理办公室 2018 年政府 信息公开工作年度报告", "岚塬县政务服务管理办公室", 2018),
        ("岚塬县教育局2018年度信息公开工作年度报告", "岚塬县教育局", 2018),
        ("岚塬县档案局政府信息公开年度报告（2010年）", "岚塬县档案局", 2010),
        ("2015年度岚塬县水务局政府信息公开工作报告", "岚塬县水务局", 2015),
        ("岚塬县水务局政府信息公开工作2015年度报告", "岚塬县水务局", 2015),
        ("岚塬县人民政府办公室关于2020年政府信息公开工作情况的报告", "岚塬县人民政府办公室", 2020),
        ("岚塬县人民政府二〇一七年政府信息公开年报", "岚塬县人民政府", 2017),
        ("岚塬县人民政府二0一七年政府信息公开年报", "岚塬县人民政府", 2017),
        ("岚塬县人民政府信息公开年度报告（2012年）", "岚塬县人民政府", 2012),
        ("岚塬县人民政府202020年政府信息公开工作年度报告", "岚塬县人民政府", None),
        ("砚浦镇2017年政府信息公开工作年度报告", "砚浦镇", 2017),
        (
            "岚塬县行政审批局（岚塬县大数据局）2023年政府信息公开工作年度报告",
            "岚塬县行政审批局（岚塬县大数据局）",
            2023,
        ),
        ("2019年政府信息公开工作年度报告", None, 2019),
    ],
)
def test_titles(title: str, name: str | None, year: int | None) -> None:
    read = read_title(pack(title, Span(0, len(title))))
    assert read is not None
    assert (read.name.text if read.name else None, read.year) == (name, year)


@pytest.mark.parametrize(
    "line",
    [
        "政府信息公开年报",
        "首页>政府信息公开>政府信息公开年报",
        "关于做好2018年政府信息公开工作年度报告编制工作的通知",
        "岚塬县政府信息公开指南",
        "2016年，我县把政务公开列入年度目标考核。",
    ],
)
def test_lines_that_are_no_titles(line: str) -> None:
    assert read_title(pack(line, Span(0, len(line)))) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("岚塬县人民政府", "government"),
        ("浣屏市人民政府", "government"),
        ("珞屏新区人民政府", "government"),
        ("岚塬县人民政府办公室", "government_office"),
        ("岱南省人民政府办公厅", "government_office"),
        ("岚塬县政务服务管理办公室", "department"),
        ("市政务服务中心管理办公室", "department"),
        ("浣屏市发展和改革委员会", "department"),
        ("岱南省水利厅", "department"),
        ("岚塬县公安局交通警察大队", "department"),
        ("国家税务总局岚塬县税务局", "department"),
        ("砚浦镇人民政府", "township"),
        ("鹭汀区望箬街道办事处", "township"),
        ("铧岭乡人民政府", "township"),
        ("岚塬县政务服务中心", "institution"),
        ("浣屏市第一人民医院", "institution"),
        ("珞屏经济开发区管理委员会", "zone"),
        ("珞屏高新技术产业开发区管委会", "zone"),
        ("岚塬县自来水公司", "other"),
    ],
)
def test_issuer_types(name: str, kind: str) -> None:
    assert issuer_type(name) == kind


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("如有疑问，请与办公室联系，电话：0990-6210035，传真：0990-6210036。", "0990-6210035"),
        ("联系电话:0990—6210035转6013。", "0990—6210035转6013"),
        ("查询电话：(0990)  6210035；监督电话：(0990)6210036。", "(0990)6210035"),
        ("请致电岚塬县档案局办公室：67120933。", "67120933"),
        ("咨询请拨0990-6210035。", "0990-6210035"),
        ("邮编：990 000 ， 电 话 ： 0990-6210035 ，", "0990-6210035"),
        ("电话（传真）：0990-6210035。", "0990-6210035"),
        ("设立预约咨询服务电话（号码：6210035），解答企业的咨询。", None),
        ("投诉举报电话：0990-6210036。", None),
        ("12345热线受理来电23000余件。", None),
        ("全年接听电话6210035次。", None),
        ("传真：0990-6210036。", None),
    ],
)
def test_phones(text: str, phone: str | None) -> None:
    found = contact_phone(document(text))
    assert (found.text if found else None) == phone


def test_a_whole_report() -> None:
    read = document(
        "岚塬县人民政府办公室",
        "2016 年政府信息公开工作年度报告",
        "统计期限为2016年1月1日至12月31日，联系电话：0990-6210035。",
        *BODY,
        "岚塬县人民政府办公室",
        "二○一七年二月二十日",
        metadata={"索引号": "990121001/2017-00012", "发布日期": "2017-03-01"},
    )
    assert facts(read) == {
        "issuer": "岚塬县人民政府办公室",
        "issuer_type": "government_office",
        "level": "county",
        "division_code": "990121",
        "year": 2016,
        "period_start": "2016-01-01",
        "period_end": "2016-12-31",
        "published_on": "2017-03-01",
        "signed_on": "2017-02-20",
        "phone": "0990-6210035",
    }


def test_every_fact_points_at_its_print() -> None:
    read = document("莱州市教育局 2018 年政府 信息公开工作年度报告", *BODY, "莱州市教育局 2019 年 1 月 17 日")
    reading = read_metadata(read)
    for fact in reading.facts:
        assert read.text[fact.evidence.start : fact.evidence.end] == fact.raw
        assert (fact.source, fact.method) == ("metadata", "rule")
    printed = {fact.path: fact.raw for fact in reading.facts}
    assert printed["meta.year"] == "2018"
    assert printed["meta.division_code"] == "莱州市"
    assert printed["meta.signed_on"] == "2019 年 1 月 17 日"


@pytest.mark.parametrize(
    ("paragraphs", "issuer"),
    [
        # the title gives only the place: the name comes from the signature, a line, or the text
        (("砚浦镇2017年政府信息公开工作年度报告", *BODY, "砚浦镇人民政府", "2018年2月5日"), "砚浦镇人民政府"),
        (("浣屏市2011年政府信息公开工作年度报告", "浣屏市人民政府", *BODY), "浣屏市人民政府"),
        (("珞屏经济开发区2016年政府信息公开年度报告", "珞屏经济开发区管理委员会总结如下。", *BODY),
         "珞屏经济开发区管理委员会"),
        # no name in the title: signature, editor, the government that the text names
        (("2016年政府信息公开工作年度报告", *BODY, "岚塬县水务局（公章）　2017年1月25日"), "岚塬县水务局"),
        (("本报告由岚塬县统计局根据条例编制。", *BODY), "岚塬县统计局"),
        (("本报告主要通过岚塬县人民政府公众信息网公布。", *BODY), "岚塬县人民政府"),
        (("全文通过雷州市人民政府公众信息网公布。", *BODY), "雷州市人民政府"),
    ],
)  # fmt: skip
def test_issuer_from_elsewhere(paragraphs: tuple[str, ...], issuer: str) -> None:
    assert facts(document(*paragraphs))["issuer"] == issuer


@pytest.mark.parametrize(
    ("title", "text", "level"),
    [
        ("岱南省水利厅", "", "province"),
        ("岚塬县教育局", "", "county"),
        ("烟台市教育局", "", "prefecture"),
        ("莱州市教育局", "", "county"),
        ("砚浦镇人民政府", "", "township"),
        ("泽槐市教育局", "《泽槐日报》刊登9篇。", "prefecture"),
        ("泽槐市教育局", "各县（区）之间工作不平衡。", "prefecture"),
        ("泽槐市教育局", "各镇（街）都设立了公开栏。", "county"),
        ("泽槐市教育局", "", None),
        ("珞屏经济开发区管理委员会", "按照珞屏县人民政府的要求。", "county"),
        ("国家税务总局岚塬县税务局", "", "county"),
        ("国家档案局", "", "national"),
    ],
)
def test_levels(title: str, text: str, level: str | None) -> None:
    read = document(f"{title}2018年政府信息公开工作年度报告", *BODY, text)
    assert facts(read).get("level") == level


@pytest.mark.parametrize(
    ("paragraphs", "published", "signed"),
    [
        (("（二〇一四年一月二十八日）", *BODY), "2014-01-28", None),
        (("[发布单位] 岚塬县公安局  [发布时间] 2016-02-26 10:24", *BODY), "2016-02-26", None),
        (("发布时间：2018-02-09    浏览次数：317", *BODY, "2018年2月5日"), "2018-02-09", "2018-02-05"),
        ((*BODY, "岚塬县公安局（公章）　2013年1月25日"), None, "2013-01-25"),
        ((*BODY, "2018年1月19日", "统计表.docx", "政府信息公开年报"), None, "2018-01-19"),
        ((*BODY, "统计截至2018年12月31日"), None, None),
        ((*BODY, "2018年12月31日，网站改版。"), None, None),
    ],
)
def test_published_and_signed(paragraphs: tuple[str, ...], published: str | None, signed: str | None) -> None:
    found = facts(document("岚塬县公安局政府信息公开工作年度报告", *paragraphs))
    assert (found.get("published_on"), found.get("signed_on")) == (published, signed)


@pytest.mark.parametrize(
    ("title", "text", "year"),
    [
        ("岚塬县人民政府2016年政府信息公开工作年度报告", "统计期限为2017年1月1日至2017年12月31日。", 2016),
        ("政府信息公开工作年度报告", "统计期限为2017年1月1日至2017年12月31日。", 2017),
        ("岚塬县人民政府政府信息公开工作年度报告", "2015年，我县公开信息90条。", 2015),
        ("岚塬县人民政府政府信息公开工作年度报告", "", None),
    ],
)
def test_year_from_title_period_text(title: str, text: str, year: int | None) -> None:
    assert facts(document(title, text, *BODY)).get("year") == year


def test_open_places_are_findings() -> None:
    ambiguous = read_metadata(document("鼓楼区人民政府2018年政府信息公开工作年度报告", *BODY))
    unknown = read_metadata(document("岚塬县人民政府2018年政府信息公开工作年度报告", *BODY))
    assert [(each.rule, each.severity) for each in ambiguous.findings] == [
        ("meta.place_ambiguous", "warning")
    ]
    assert "320106 江苏省南京市鼓楼区" in ambiguous.findings[0].message
    assert ambiguous.findings[0].expected == "320106, 320302, 350102, 410204"
    assert [(each.rule, each.severity) for each in unknown.findings] == [("meta.place_unknown", "note")]
    assert unknown.findings[0].printed == "岚塬县人民政府"


REPORTS = {
    "town, no chapters": document(
        "铧岭乡2010年政府信息公开报告",
        "一年来，没有人来申请公开。",
        "全年无复议、无诉讼。",
        "问题主要是公开栏日晒雨淋。",
    ),
    "no title": document("本报告通过岚塬县人民政府网站公布。", *BODY),
    "tables only": document("本年新收政府信息公开申请数量 3", "结果维持 结果纠正 其他结果 尚未审结 总计"),
    "chapters": document("岚塬县教育局2018年政府信息公开工作年度报告", *BODY),
}
OTHERS = {
    "error page": document("页面不存在", "您访问的页面不存在或已被删除，请返回首页。"),
    "list": document(
        "首页",
        "政府信息公开年报",
        "岚塬县水务局2018年政府信息公开工作年度报告",
        "岚塬县林业局2018年政府信息公开工作年度报告",
        "依申请公开",
        "主动公开",
    ),
    "news": document(
        "我县召开政府信息公开工作培训会",
        "近日，我县召开培训会，讲解主动公开和依申请公开。",
        "会议指出了存在的问题。",
        "各部门参加了会议。",
    ),
    "notice": document(
        "关于做好2018年政府信息公开工作年度报告编制工作的通知",
        "年度报告应当包括主动公开、依申请公开、收费、复议诉讼、问题等。",
        "请按时报送。",
        "特此通知。",
    ),
    "guide": document("岚塬县政府信息公开指南", *BODY, "本报告每年3月31日前公布。"),
}


@pytest.mark.parametrize("kind", REPORTS)
def test_reports_are_accepted(kind: str) -> None:
    require_report(REPORTS[kind])


@pytest.mark.parametrize("kind", OTHERS)
def test_other_pages_are_refused(kind: str) -> None:
    assert not is_report(OTHERS[kind])
    with pytest.raises(NotAReport, match=r"x\.txt: no annual disclosure report"):
        require_report(OTHERS[kind])


REAL = {
    "000_17b79a92d118db90.txt": ("莱州市政务服务管理办公室", "370683", 2018),
    "001_f1b43e7201044486.txt": ("市政务服务中心管理办公室", "370881", 2017),
    "002_3ce49ca6a780e69a.txt": ("招远市人民政府办公室", "370685", 2019),
    "003_e51c1e5ccb519e51.txt": ("海阳市留格庄镇人民政府", "370687", 2018),
    "004_92ab342e01c50e26.txt": ("雷州市人民政府", "440882", 2018),
    "hongze_2023.pdf": ("洪泽区人民政府", "320813", 2023),
    "huaian_2024.pdf": ("淮安市人民政府", "320800", 2024),
}


@pytest.mark.parametrize("file", REAL)
def test_real_reports(real_reports: Path, file: str) -> None:
    read = read_document(real_reports / file)
    found = facts(read)
    assert is_report(read)
    assert (found["issuer"], found["division_code"], found["year"]) == REAL[file]
