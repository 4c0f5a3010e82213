"""Which division an issuer belongs to: names, code numbers, and what tells same names apart."""

import pytest

from pipeline.document import Document, DocumentBuilder, Span
from pipeline.metadata.divisions import gazetteer, is_within, level_of, stem
from pipeline.metadata.place_codes import division_codes
from pipeline.metadata.places import Place, locate
from pipeline.printed import Printed


def document(*paragraphs: str) -> Document:
    builder = DocumentBuilder()
    for paragraph in paragraphs:
        builder.add_text("paragraph", paragraph)
    return builder.build(doc_id="x", file="x.txt", sha256="0", media_type="text/plain")


def place(issuer: str, *paragraphs: str, year: int | None = 2018) -> Place:
    printed = Printed(issuer, Span(0, len(issuer)))
    return locate(document(issuer, *paragraphs), [printed], gazetteer(year))


@pytest.mark.parametrize(
    ("issuer", "code"),
    [
        ("莱州市人民政府", "370683"),
        ("招远市人民政府办公室", "370685"),
        ("海阳市留格庄镇人民政府", "370687"),
        ("雷州市人民政府", "440882"),
        ("淮安市人民政府", "320800"),
        ("洪泽区人民政府", "320813"),
        ("淮安市洪泽区人民政府", "320813"),
        ("山东省烟台市莱州市教育局", "370683"),
        ("山东省水利厅", "370000"),
        ("北京市人民政府", "110000"),
        ("北京市朝阳区人民政府", "110105"),
        ("长春市朝阳区人民政府", "220104"),
        ("徐州市鼓楼区统计局", "320302"),
        ("延边朝鲜族自治州人民政府", "222400"),
        ("神农架林区人民政府", "429021"),
        ("国家税务总局曲阜市税务局", "370881"),
        ("曲阜市市场监督管理局", "370881"),
        ("恩施州教育局", "422800"),
        ("恩施市教育局", "422801"),
        # a zone has no code of its own: that of the city it belongs to
        ("烟台经济技术开发区管理委员会", "370600"),
        ("莱州经济开发区管理委员会", "370683"),
    ],
)
def test_place_in_the_issuers_name(issuer: str, code: str) -> None:
    assert place(issuer).code == code


@pytest.mark.parametrize(
    ("issuer", "year", "code"),
    [
        ("洪泽县人民政府", 2014, "320829"),  # a county until 2016
        ("洪泽区人民政府", 2017, "320813"),
        ("章丘市人民政府", 2015, "370181"),  # a city until 2016
        ("章丘区人民政府", 2018, "370114"),
        ("莱芜市人民政府", 2017, "371200"),  # merged into 济南 in January 2019
        ("莱芜区人民政府", 2019, "370116"),
        ("沧浪区人民政府", 2011, "320502"),  # 姑苏区 since 2012
        ("海门市人民政府", 2019, "320684"),  # a city until 2020
        ("海门区人民政府", 2021, "320614"),
        ("长垣市人民政府", 2021, "410783"),
        ("杭州市临平区人民政府", 2022, "330113"),
        ("重庆市江北区人民政府", 2025, "500105"),  # merged within the year; 宁波 has an 江北区 still
        ("洪泽县人民政府", 2016, "320829"),  # renamed within the year, its old name printed
    ],
)
def test_codes_are_those_of_the_reports_year(issuer: str, year: int, code: str) -> None:
    assert place(issuer, year=year).code == code


@pytest.mark.parametrize(
    ("evidence", "code"),
    [
        ("索引号：320302/2019-00001", "320302"),
        ("按照徐州市人民政府的要求编制。", "320302"),
        ("按照福建省有关规定，根据福州市的部署编制。", "350102"),
        ("网址：http://www.gulou.fuzhou.fj.gov.cn", "350102"),
        ("联系电话：0371-25971234", "410204"),
        ("地址：鼓楼大街1号，邮编：475000", "410204"),
        # both in Jiangsu: still open
        ("网址：http://www.gulou.js.gov.cn", None),
        ("我区认真开展政府信息公开工作。", None),
    ],
)
def test_four_districts_called_gulou(evidence: str, code: str | None) -> None:
    found = place("鼓楼区人民政府", evidence)
    assert found.code == code
    if code is None:
        assert {each.name for each in found.candidates} == {"鼓楼区"}
        assert len(found.candidates) >= 2


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        ("索引号：990121-2017-00016", "990121"),
        ("索 引 号：990081001/2017-00012", "990081"),
        ("索引号：990104ZB-2011-0007", "990104"),
        ("[索引号] 990226/2016-GA0004", "990226"),
        ("信息索引：990225-10-2019-00003", "990225"),
        ("我县行政区划代码990227，数据如下。", "990227"),
        ("网站标识码：9901230001", "990123"),
        ("索引号：113706830042695000/2019-00012", "370683"),  # unified social credit code
        ("索引号：014349000/2018-00010", None),  # an organisation code of another kind
        ("索引号：2018-00010", None),
        ("第990121号建议", None),
    ],
)
def test_code_numbers(printed: str, code: str | None) -> None:
    found = [sign.prefix for sign in division_codes(document(printed), gazetteer(2018))]
    assert found == ([] if code is None else [code])


@pytest.mark.parametrize(
    ("issuer", "text", "code"),
    [
        # only in a portal's name; the province is a superior
        ("市政务服务中心管理办公室", "对外公开山东政务服务网曲阜站点网址。", "370881"),
        ("市政务服务中心管理办公室", "根据《烟台市政府信息公开办法》，通过莱州市政府网公开。", "370683"),
        ("县档案局", "在泗水县政府网站公开。", "370831"),
        ("市场监督管理局", "在泗水县政府网站公开。", "370831"),
        ("市政管理处", "在泗水县政府网站公开。", "370831"),
        ("市政府办公室", "在泗水县政府网站公开。", None),
        ("留格庄镇人民政府", "通过海阳市政府网站公开。", "370687"),
        ("北京街道办事处", "根据广州市越秀区的部署编制。", "440104"),  # lies in Guangzhou
        ("市档案局", "与莱州市、招远市共同推进。", None),
        ("县档案局", "通过市政府网站公开。", None),
    ],
)
def test_place_in_the_text(issuer: str, text: str, code: str | None) -> None:
    assert place(issuer, text).code == code


def test_a_renamed_place_is_not_taken_for_its_former_self() -> None:
    assert place("长垣县人民政府", year=2018).code == "410728"
    assert place("长垣县人民政府", year=2021).code is None
    assert place("长垣市人民政府", year=2021).code == "410783"


@pytest.mark.parametrize("issuer", ["岚塬县人民政府", "泽槐市环境保护局", "鹭汀区望箬街道办事处"])
def test_unknown_places_have_no_code_unless_it_is_printed(issuer: str) -> None:
    assert place(issuer, "通过莱州市政府网站公开。").code is None
    assert place(issuer, "通过莱州市政府网站公开。").unknown is not None
    assert place(issuer, "索引号：990121-2017-00016").code == "990121"


def test_the_name_goes_before_the_index_number() -> None:
    assert place("莱州市人民政府", "索引号：370685-2017-00016").code == "370683"


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("曲阜市", "曲阜"),
        ("内蒙古自治区", "内蒙古"),
        ("广西壮族自治区", "广西"),
        ("延边朝鲜族自治州", "延边"),
        ("湘西土家族苗族自治州", "湘西"),
        ("横县", "横县"),
    ],
)
def test_stem(name: str, short: str) -> None:
    assert stem(name) == short


def test_levels_and_superiors() -> None:
    assert [level_of(code) for code in ("370000", "370600", "370683", "110000")] == [
        "province", "prefecture", "county", "province",
    ]  # fmt: skip
    assert is_within("370683", "370600")
    assert is_within("370683", "370000")
    assert not is_within("370683", "370700")
    assert not is_within("370683", "370683")
