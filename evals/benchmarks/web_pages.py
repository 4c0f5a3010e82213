"""Made-up government pages of realistic size around a report: site chrome, scripts, style sheets, menus.

Three kinds of sites: `modern` (divisions, inline scripts and styles, UTF-8), `layout` (nested tables,
font elements, GBK) and `word` (a report pasted from Word, every cell a paragraph of styled spans).
The same report and style give the same bytes.
"""

# ruff: noqa: E501 - markup stays on one line

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Literal

from evals.benchmarks.table_carriers import PrintedCell, PrintedReport, PrintedTable

Style = Literal["modern", "layout", "word"]
STYLES: tuple[Style, ...] = ("modern", "layout", "word")
# Attributes and content of a cell with this text.
CellMarkup = Callable[[str], tuple[str, str]]

PLACE = "北汀县"
TITLE = f"{PLACE}人民政府2023年政府信息公开工作年度报告"
_MENU = "首页 走进北汀 新闻动态 政务公开 政务服务 互动交流 专题专栏 数据开放 营商环境 投资北汀".split()
_ENTRIES = "公告公示 政策文件 政策解读 财政资金 人事信息 规划计划 应急管理 重大项目 行政许可 民生实事".split()
_BODIES = "发展改革 教育 科技 民政 财政 自然资源 住房建设 交通运输 水务 农业农村 文化旅游 卫生健康".split()
_CHAPTERS = (
    "一、总体情况",
    "二、主动公开政府信息情况",
    "三、收到和处理政府信息公开申请情况",
    "四、政府信息公开行政复议、行政诉讼情况",
    "五、存在的主要问题及改进情况",
    "六、其他需要报告的事项",
)
_SENTENCES = (
    "全年通过县政府门户网站发布各类信息{0}条，其中政策文件{1}件、解读材料{2}篇，内容更新及时",
    "县政务公开办公室会同各乡镇和部门，对{0}项公开事项逐一核对，退回补正{1}项，并建立台账",
    "“北汀发布”微信公众号推送消息{0}条，累计阅读{1}万次，回应网民留言{2}件",
    "在县档案馆、图书馆和政务服务大厅设查阅点{0}处，接待群众{1}人次，提供纸质材料{2}份",
    "组织业务培训{0}期，参加人员{1}人次，重点讲解申请办理流程、文书格式和期限计算",
    "对照年初印发的工作要点，把任务分解到{0}个责任单位，每季度通报一次进展，全年通报{1}次",
    "围绕义务教育、就业创业、生态环境等{0}个领域编制标准目录，目录共{1}条，全部挂网公布",
)


def web_page(report: PrintedReport, style: Style, seed: int = 1) -> bytes:
    """The report as a page of a site of this style, encoded as its declaration says."""
    chance = random.Random(f"{style} {seed}")
    return _PAGES[style](report, chance)


def _modern(report: PrintedReport, chance: random.Random) -> bytes:
    body = "".join(
        f'<p style="text-indent: 2em; line-height: 2; text-align: justify;"><span style="font-family: 仿宋, '
        f'FangSong; font-size: 16px;">{text}</span></p>\n'
        if isinstance(text, str)
        else _table(text, 'class="xxgk-table" border="1"', _modern_cell)
        for text in _content(report, chance)
    )
    page = (
        f'<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n<title>{TITLE}_{PLACE}人民政府'
        f'</title>\n<meta name="SiteName" content="{PLACE}人民政府">\n<meta name="PubDate" content="2024-01-24">\n'
        f"<style>\n{_style_sheet(chance, 160)}</style>\n<script>\n{_script(chance, 120)}</script>\n</head>\n<body>\n"
        f'<header class="header"><div class="logo"><img src="/images/logo.png" alt="{PLACE}"></div>\n'
        f'<nav class="nav">{_menu_list(chance)}</nav></header>\n<div class="mobile-menu" style="display:none">'
        f'{_menu_list(chance)}</div>\n<div class="crumb">当前位置：<a href="/">首页</a> &gt; <a href="/zwgk/">'
        f'政务公开</a> &gt; <a href="/zwgk/nb/">年报</a></div>\n<div class="container"><aside class="side">'
        f'{_menu_list(chance)}</aside>\n<div class="article"><h1>{TITLE}</h1>\n<div class="info"><span>发布时间：'
        f"2024-01-24 09:30</span><span>来源：{PLACE}政府办公室</span><span>浏览次数：<em>318</em></span></div>\n"
        f'<div class="content" id="zoom">\n{body}</div>\n<div class="share">{_icons(chance)}</div></div></div>\n'
        f'<footer class="footer"><div class="links">{_selects(chance)}</div><p>主办：{PLACE}人民政府</p>'
        f"<p>网站标识码：9900250001</p></footer>\n<script>\n{_script(chance, 200)}</script>\n</body>\n</html>\n"
    )
    return page.encode("utf-8")


def _layout(report: PrintedReport, chance: random.Random) -> bytes:
    body = "".join(
        f"<P class=text style='TEXT-INDENT: 32px'><FONT face=宋体 color=#333333 size=3>{text}</FONT></P>\r\n"
        if isinstance(text, str)
        else _table(text, "cellSpacing=0 cellPadding=2 width=680 align=center border=1", _layout_cell)
        for text in _content(report, chance)
    )
    cells = "".join(
        f'<TD align=middle width=90 background=images/nav.gif><A class=nav href="../{number}/" target=_blank>'
        f"<FONT color=#ffffff><B>{name}</B></FONT></A></TD>\r\n"
        for number, name in enumerate(_MENU)
    )
    entries = "".join(
        f"<TR><TD width=20 height=24><IMG height=9 src=images/dot.gif width=9></TD><TD class=left><A href="
        f'"list.asp?id={chance.randrange(9999)}"><FONT color=#000066>{name}</FONT></A></TD></TR>\r\n'
        for name in _labels(chance, 60)
    )
    page = (
        f'<HTML><HEAD><TITLE>{TITLE}</TITLE>\r\n<META http-equiv=Content-Type content="text/html; charset=gb2312">'
        f"\r\n<STYLE type=text/css>{_style_sheet(chance, 60)}</STYLE>\r\n<SCRIPT language=JavaScript>"
        f"{_script(chance, 60)}</SCRIPT></HEAD>\r\n<BODY leftMargin=0 topMargin=0><TABLE width=1000 align=center>"
        f"<TR>{cells}</TR></TABLE>\r\n<TABLE cellSpacing=0 width=1000 align=center border=0><TR><TD vAlign=top "
        f"width=210><TABLE width='100%'>{entries}</TABLE></TD>\r\n<TD vAlign=top><TABLE width='100%' border=0><TR>"
        f"<TD align=middle><FONT size=5><B>{TITLE}</B></FONT></TD></TR>\r\n<TR><TD align=middle>发布日期：2024-01-24"
        f"&nbsp;&nbsp;来源：县政府办公室&nbsp;&nbsp;浏览次数：<SCRIPT src=hit.asp></SCRIPT></TD></TR>\r\n<TR><TD>"
        f"<TABLE width='96%' align=center><TR><TD class=content>{body}</TD></TR></TABLE></TD></TR></TABLE></TD></TR>"
        f"</TABLE>\r\n<TABLE width=1000 align=center><TR><TD align=middle>主办：{PLACE}人民政府<BR>网站标识码："
        "9900250001</TD></TR></TABLE></BODY></HTML>"
    )
    return page.encode("gb18030")


def _word(report: PrintedReport, chance: random.Random) -> bytes:
    body = "".join(
        f"<p class=MsoNormal style='text-indent:32.0pt;line-height:28.0pt;mso-line-height-rule:exactly'>"
        f"{_spans(text)}</p>\n"
        if isinstance(text, str)
        else _table(text, "class=MsoNormalTable border=1 cellspacing=0 cellpadding=0", _word_cell)
        for text in _content(report, chance)
    )
    fonts = "".join(
        f"@font-face\n\t{{font-family:字体{number};\n\tpanose-1:2 1 6 {number} 3 1 1 1 1 1;\n\t"
        "mso-font-charset:134;\n\tmso-generic-font-family:auto;}\n"
        for number in range(40)
    )
    page = (
        '<html xmlns:v="urn:schemas-microsoft-com:vml"\nxmlns:o="urn:schemas-microsoft-com:office:office">\n<head>\n'
        '<meta http-equiv=Content-Type content="text/html; charset=utf-8">\n<meta name=Generator content="Microsoft '
        f'Word 15">\n<title>{TITLE}</title>\n<!--[if gte mso 9]><xml>\n <w:LatentStyles DefLockedState="false">\n'
        + "".join(f'  <w:LsdException Locked="false" Name="heading {n}"/>\n' for n in range(200))
        + f" </w:LatentStyles>\n</xml><![endif]-->\n<style>\n<!--\n{fonts}-->\n</style>\n</head>\n"
        "<body lang=ZH-CN style='tab-interval:21.0pt'>\n<div class=WordSection1 style='layout-grid:15.6pt'>\n"
        f"<p class=MsoNormal align=center style='text-align:center'><b><span style='font-size:22.0pt'>{TITLE}"
        f"<o:p></o:p></span></b></p>\n{body}</div>\n</body>\n</html>\n"
    )
    return page.encode("utf-8")


_PAGES = {"modern": _modern, "layout": _layout, "word": _word}


def _content(report: PrintedReport, chance: random.Random) -> Iterator[str | PrintedTable]:
    """Paragraphs and tables of the report in order."""
    tables = {table.heading: table for table in report.tables}
    for chapter in _CHAPTERS:
        yield chapter
        for _ in range(3 if chapter in tables else 6):
            yield "；".join(_sentence(chance) for _ in range(4)) + "。"
        if chapter in tables:
            yield tables[chapter]
    yield f"{PLACE}人民政府"
    yield "2024年1月22日"


def _sentence(chance: random.Random) -> str:
    return chance.choice(_SENTENCES).format(*(chance.randrange(2, 900) for _ in range(3)))


def _table(table: PrintedTable, attributes: str, cell_markup: CellMarkup) -> str:
    rows = "".join(f"<tr>{''.join(_cell(cell, cell_markup) for cell in row)}</tr>\n" for row in table.rows)
    return f"<table {attributes}><tbody>\n{rows}</tbody></table>\n"


def _cell(cell: PrintedCell, cell_markup: CellMarkup) -> str:
    spans = f' colspan="{cell.column_span}"' if cell.column_span > 1 else ""
    spans += f' rowspan="{cell.row_span}"' if cell.row_span > 1 else ""
    attributes, content = cell_markup(cell.text or "&nbsp;")
    return f"<td{spans}{attributes}>{content}</td>\n"


def _modern_cell(text: str) -> tuple[str, str]:
    style = ' style="border: 1px solid #ddd; padding: 6px; word-break: break-all;" valign="middle"'
    return (
        style,
        f'<p style="text-align: center; margin: 0;"><span style="font-size: 14px;">{text}</span></p>',
    )


def _layout_cell(text: str) -> tuple[str, str]:
    return " vAlign=center borderColor=#000000 height=28", f"<P align=center><FONT size=2>{text}</FONT></P>"


def _word_cell(text: str) -> tuple[str, str]:
    style = (
        " width=56 style='width:42.0pt;border:solid windowtext 1.0pt;mso-border-alt:solid windowtext .5pt;"
        "padding:0cm 5.4pt 0cm 5.4pt'"
    )
    return style, f"<p class=MsoNormal align=center style='text-align:center'>{_spans(text)}</p>"


def _spans(text: str) -> str:
    """Text as Word saves it: figures in a span of another font, an empty element at the end."""
    pieces = re.split(r"(\d+)", text)
    styled = "".join(
        f"<span lang=EN-US style='font-size:12.0pt;font-family:\"Times New Roman\",serif'>{piece}</span>"
        if piece.isdigit()
        else f"<span style='font-size:12.0pt;font-family:仿宋_GB2312;mso-hansi-font-family:仿宋'>{piece}</span>"
        for piece in pieces
        if piece
    )
    return f"{styled}<span lang=EN-US style='font-size:12.0pt'><o:p></o:p></span>"


def _labels(chance: random.Random, count: int) -> list[str]:
    return [f"{chance.choice(_BODIES)}{chance.choice(_ENTRIES)}" for _ in range(count)]


def _menu_list(chance: random.Random) -> str:
    """A menu of two levels."""
    return f"<ul>{''.join(_menu_entry(name, chance) for name in _MENU)}</ul>\n"


def _menu_entry(name: str, chance: random.Random) -> str:
    below = "".join(
        f'<li><a href="/{chance.randrange(999)}/" target="_blank" title="{each}">{each}</a></li>'
        for each in _labels(chance, 6)
    )
    return (
        f'<li class="item"><a href="/{chance.randrange(999)}/">{name}</a><ul class="sub">{below}</ul></li>\n'
    )


def _selects(chance: random.Random) -> str:
    """Drop-down lists of other sites."""
    options = "".join(
        f'<option value="/{chance.randrange(999)}/">{name}</option>' for name in _labels(chance, 40)
    )
    return f"<select>{options}</select><select>{options}</select>"


def _icons(chance: random.Random) -> str:
    paths = (
        f'<svg class="icon" viewBox="0 0 24 24"><path d="{_curve(chance)}"></path></svg>' for _ in range(6)
    )
    return "".join(f'<a href="javascript:;" class="btn">{path}</a>' for path in paths)


def _curve(chance: random.Random) -> str:
    return "".join(f"C{chance.random() * 24:.3f} {chance.random() * 24:.3f} " for _ in range(24))


def _style_sheet(chance: random.Random, rules: int) -> str:
    return "".join(
        f".c{number} > li a:hover{{margin:0 {chance.randrange(40)}px;background:#{chance.randrange(1 << 24):06x};"
        f"font-size:{chance.randrange(12, 24)}px}}\n"
        for number in range(rules)
    )


def _script(chance: random.Random, lines: int) -> str:
    return "".join(
        f'var v{number}=document.getElementById("n{number}");if(v{number}&&v{number}.offsetTop<{chance.randrange(999)})'
        f"{{v{number}.innerHTML='<li>{number}</li>';}}\n"
        for number in range(lines)
    )
