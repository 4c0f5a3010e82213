"use strict";

// Every word of the page: [Chinese, English]. What reports and runs say is shown as it is.
const TEXT = {
  title: ["政府信息公开年报总览", "Overview of disclosure reports"], skip: ["跳到覆盖情况", "Skip to coverage"],
  filters: ["筛选", "Filters"], search: ["机构或代码", "Issuer or code"], province: ["省份", "Province"],
  prefecture: ["地市", "Prefecture"], level: ["层级", "Level"], type: ["机构类型", "Type"], having: ["含有", "Having"],
  clear: ["清除", "Clear"], all: ["全部", "all"], none: ["未知", "not known"],
  coverage: ["覆盖情况：机构 × 年份", "Coverage: issuer × year"], rows: ["行", "Rows"], sort: ["排序", "Sort by"],
  byIssuer: ["机构", "issuers"], byPrefecture: ["地市", "prefectures"], byProvince: ["省份", "provinces"],
  sortPlace: ["地区与名称", "place and name"], sortName: ["名称", "name"], sortFewest: ["缺失最多", "most missing"],
  sortFlagged: ["标记最多", "most flagged"], sortFailed: ["失败最多", "most failed"],
  before: ["上一页", "Previous page"], after: ["下一页", "Next page"], back: ["返回", "Back"], close: ["关闭", "Close"],
  keys: ["方向键移动，回车打开证据，Esc 关闭。", "Arrow keys move, Enter opens the evidence, Esc closes it."],
  issuer: ["机构", "Issuer"], year: ["年份", "Year"], reports: ["报告", "reports"], issuers: ["家机构", "issuers"],
  ok: ["无标记", "ok"], flagged: ["有标记", "flagged"], failed: ["失败", "failed"], missing: ["缺失", "missing"],
  versions: ["版本数", "versions"], versionsOf: ["个版本", "versions"], share: ["有报告的机构比例", "share of issuers with a report"],
  overTime: ["历年情况", "Over time"], outcomes: ["申请与办理结果", "Requests and outcomes"],
  outcomesNote: ["柱：印有全部办理结果的报告（n 份）之和；线：印有收到申请数的报告之和。不作推算。", "Columns: sums over the n reports that print all outcomes; line: over all that print requests received. Nothing is inferred."],
  rates: ["比率分布", "Distribution of rates"], rate: ["比率", "Rate"],
  ratesNote: ["箱：四分位；粗线：中位数；须：第 5 至第 95 百分位；n 为机构数。", "Box: quartiles; thick line: median; whiskers: 5th to 95th percentile; n: issuers."],
  flaggedShare: ["被标记数字的比例", "Share of flagged figures"],
  flaggedNote: ["错误或警告涉及的数字 ÷ 全部数字。", "Figures that an error or warning speaks of ÷ all figures."],
  asTable: ["表格", "As a table"], median: ["中位数", "median"], low: ["5 %", "5 %"], high: ["95 %", "95 %"],
  quartile1: ["25 %", "25 %"], quartile3: ["75 %", "75 %"], figures: ["数字", "figures"], noData: ["无数据", "No data"],
  findings: ["最近的检查发现", "Latest findings"], severity: ["程度", "Severity"], rule: ["规则", "Rule"],
  finding: ["发现", "Finding"], findingsHere: ["检查发现", "Findings"], expected: ["应为", "Expected"], printed: ["印出", "Printed"], prints: ["原文", "Prints"], printsOf: ["处原文", "prints"],
  cause: ["可能原因", "Suspected cause"], error: ["错误", "error"], warning: ["警告", "warning"], note: ["提示", "note"],
  reading: ["读取", "reading"], report: ["报告本身", "report"], scope: ["范围", "scope"], unknown: ["未知", "unknown"],
  leftOut: ["条较早的发现未列出，见各机构的证据。", "older findings are not listed here; each issuer's evidence has its own."],
  unplaced: ["未能归入面板的文件", "Documents without a place in the panel"], documents: ["份文件", "documents"],
  document: ["文件", "Document"], run: ["运行", "Run"], reason: ["原因", "Reason"], status: ["状态", "Status"],
  templates: ["表式", "Forms"], place: ["地区", "Place"], file: ["源文件", "File"], asPrinted: ["当年名称", "Name as printed"],
  value: ["数值", "Value"], variable: ["变量", "Variable"], evidence: ["证据", "Evidence"],
  notMentioned: ["没有数值", "Without a value"], page: ["第 {} 页", "page {}"], cellPlace: ["表 {} 行 {} 列 {}", "table {} row {} column {}"],
  characters: ["字符 {}–{}", "characters {}–{}"], table: ["表格", "table"], narrative: ["正文", "prose"], metadata: ["元数据", "metadata"],
  zero_in_words: ["文字表述的零", "zero in words"], blank: ["空白", "blank"], not_applicable: ["不适用 “/”", "not applicable “/”"],
  illegible: ["不清", "illegible"], not_mentioned: ["未提及", "not mentioned"], not_in_template: ["此表式没有", "not in this form"], undefined: ["无定义（分母为零）", "undefined (of nothing)"],
  not_comparable: ["来源不同，不可比", "not comparable: different sources"],
  at_least: ["至少", "at least"], at_most: ["至多", "at most"], about: ["约", "about"],
  chosen: ["采用", "chosen"], duplicate: ["重复", "duplicate"], superseded: ["被取代", "superseded"], other_carrier: ["另一载体", "other carrier"],
  noReport: ["这一年没有报告。", "There is no report of this year."], loading: ["读取中…", "Reading…"],
  tooOld: ["此浏览器不能解开证据（需 2023 年以后的版本）。", "This browser cannot unpack the evidence (one of 2023 or later can)."],
  more: ["其余 {} 项未列出", "{} more are not listed"],
  government: ["人民政府", "government"], government_office: ["办公室", "government office"], department: ["部门", "department"],
  township: ["乡镇街道", "township"], institution: ["事业单位", "institution"], zone: ["开发区", "zone"], other: ["其他", "other"],
  national: ["国家", "national"], provinceLevel: ["省级", "province"], prefectureLevel: ["地级", "prefecture"], county: ["县级", "county"],
};

let language = navigator.language.startsWith("zh") ? 0 : 1;

function say(key, ...parts) {
  let text = Object.hasOwn(TEXT, key) ? TEXT[key][language] : key;
  for (const part of parts) text = text.replace("{}", part);
  return text;
}

function sayLevel(level) {
  if (level === "province" || level === "prefecture") return say(`${level}Level`);
  return say(level);
}

function labelPage() {
  document.documentElement.lang = language ? "en" : "zh-CN";
  document.querySelectorAll("[data-text]").forEach((each) => { each.textContent = say(each.dataset.text); });
  document.querySelectorAll("[data-label]").forEach((each) => { each.setAttribute("aria-label", say(each.dataset.label)); });
  document.getElementById("language").textContent = language ? "中文" : "English";
}
