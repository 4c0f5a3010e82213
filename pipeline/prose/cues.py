"""Words that tell what a figure counts. One row a cue; edit here to teach the rules a wording.

`path` is what the cue means; `pattern` is searched in the words before the figure
(nearest clause first) or, for `AFTER`, in the words that follow it directly;
`topic` is the topic that must be open in the sentence or heading for an
ambiguous word (维持 counts reviews or lawsuits, 其他 is anything).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Topic = Literal["requests", "review", "litigation", "proactive", "fees", "capacity"]


@dataclass(frozen=True, slots=True)
class Cue:
    """A wording and the field that it names; None says that the figure is of no field."""

    path: str | None
    pattern: re.Pattern[str]
    topic: Topic | None = None


def _cues(topic: Topic | None, *rows: tuple[str | None, str]) -> tuple[Cue, ...]:
    return tuple(Cue(path, re.compile(pattern), topic) for path, pattern in rows)


_R = "requests"
_C = "proactive.channel"

# Words before the figure that make it none of the report year's values.
NOT_THIS_YEAR = re.compile(
    r"(?:上年度?|去年|上一年度?|同比|比上年|较上年|较去年|比去年)(?!度?结转)[^，。；]{0,14}$"
    r"|(?:增加|增长|减少|下降|上升|提高|降低|增幅|多出|[多少])(?:了|出)?$"
    r"|(?:计划(?:于|在|举办|开展|召开|公开|发布|新增)|拟于?|力争|争取|预计)[^，。；]{0,16}$|各(?:(?:有|配|设|安排)[^，。；、0-9]{0,8})?$|每(?:月|季度?|周|半年|天|个)[^，。；]{0,8}$"
)
# Sentences that say of themselves that they are not about disclosure.
NOT_DISCLOSURE = re.compile(
    r"作为复议机关|审理[^，。；]{0,6}复议|代理[^，。；]{0,6}(?:应诉|诉讼)|不服[^，。；]{0,12}(?:处罚|认定|许可|征收)[^，。；]{0,6}(?:复议|诉讼|案件)|与(?:本报告|信息公开|政府信息公开)[^，。；]{0,6}无关"
    r"|不在本项统计|不(?:属于|是)(?:政府)?信息公开|法制机构[^，。；]{0,6}办理各类|另外的工作|不计入"
)
# Subjects whose figures are of other work.
OTHER_WORK = re.compile(
    r"热线|来电|(?:常务会|(?:局长|主任|院长)办公会|经济工作会|党组会)议?(?:共|了)?(?:[0-9]+[次场])?$|(?:技能|就业|创业|扶贫|岗前|职业)[^，。；]{0,4}培训|主要负责(?:人|同志)(?:参加|出席)[^，。；]*|转为(?:主动)?公开|代收|转办|(?:印发|发放|编发|散发)[^，。；]{0,10}(?:宣传|手册|明白纸|资料)[^，。；]*|评论|私信|(?:重复|重叠|交叉)(?!申请|提出)|(?:印了|赠阅|赠送)|通稿|提问|播放|专访|应办|纠纷|听课|参加[^，。；]{0,10}培训|12\d{3}|消费|作为复议机关|审理[^，。；]{0,6}复议|代理[^，。；]{0,6}(?:应诉|诉讼)|许可申请|快报|周报|(?:转载|转发|另转)[^，。；]*|工单|办件|办结率|点击|访问|浏览|粉丝|关注(?:人数|用户|量)|阅读|转发(?:量|数)|点赞|注册用户|下载"
    r"|(?:栏目|专栏|频道|专题)(?=共?(?:有|计)?$|[^，。；]{0,4}(?:合并|精简|整合|增设|撤销|由))|展板|展架|手册|宣传册|明白卡|册|采用|约稿|报送[^，。；]{0,6}信息|移送|上报信息|投票"
    r"|建议(?!提案.*(?:公开|结果))|提案(?!.*(?:公开|结果))|督查|检查|抽查|通报|测评|考核|巡查|自查|整改|批示|研究|审议|学习"
    r"|分值|得分|排名|名列|部门(?=共?$)|成员单位|乡镇(?=共?$)|网站群|账号|微信号"
    r"|许可事项|服务事项|审批事项|权力事项|(?<!关切)(?<!查询)(?<!信访)(?<!投诉)事项(?=共?$)|目录(?!(?:管理)?(?:系统|平台|网)|更新|公开|发布)|清单|编发简报|简报|专报|电脑|触摸屏|显示屏|设备"
    r"|人大代表|政协委员|信访|来信来访|接待|查阅(?:人|群众)|咨询|制度(?=共?$)|办法(?=共?$)|方案(?=共?$)|任务|要点"
    r"|公报[^，。；]{0,6}(?:出版|编印|印发|编辑|发行)|发行|出版|印刷|转载|转发|子网站|客户端下载|政府开放日|开放日|活动(?=共?$)"
)

AFTER = (
    *_cues(
        None,
        (None, r"^[^，。；]{0,6}(?:既在|既通过|重复(?!申请)|同时在)"),
        ("proactive.normative_documents.disclosed", r"^(?:行政)?规范性文件[^，。；]{0,14}(?:公开|发布|公布|上网)"),
        ("proactive.normative_documents.issued", r"^(?:行政)?规范性文件"),
        (f"{_R}.carried_out.total", r"^[^，。；]{0,20}(?:结转|转)(?:入|至|到)?(?:下|次|[0-9]{4}年)"),
        ("capacity.staff_part_time", r"^[，]?(?:均为|都是|均由[^，。；]{0,8}|由[^，。；]{0,8}|均)兼[职任]"),
        ("capacity.staff_full_time", r"^[^，。；、0-9]{0,6}(?:专职|全职)"),
        ("capacity.staff_part_time", r"^[^，。；、0-9]{0,8}(?:兼职|(?:同志|干部|工作人员)兼)"),
        ("engagement.press_conferences", r"^(?:政府|专题|主题|例行)?(?:新闻发布会|新闻通气会)"),
        ("engagement.interviews", r"^(?:在线|网络|网上)?(?:在线|网络|嘉宾|视频)?访谈"),
        ("engagement.interpretations", r"^[^，。；、]{0,8}(?:政策解读|解读(?:材料|稿|信息|文章|文件))"),
        ("capacity.reading_points", r"^(?:政府|公共|政务)?(?:信息)?(?:公开)?(?:公共)?(?:查阅(?:点|场所|室|中心)|查询点)"),
        ("capacity.trainees", r"^(?:干部|工作人员|人员|同志|学员)?(?:进行(?:了)?(?:集中|专题|业务)?|参加|参加了?|接受了?|参与了?)?(?:政务公开|信息公开|业务)?(?:专题)?(?:培训|参训|受训|轮训)|^(?:参加|参训|受训)"),
        ("capacity.trainings", r"^[^，。；、]{0,14}(?:培训班|培训会|培训|轮训|讲座)"),
        ("capacity.meetings", r"^[^，。；、]{0,14}(?:工作会议?|推进会|专题会议?|联席会议|协调会|部署会|例会|调度会)"),
        (f"{_R}.new_received.total", r"^[^，。；、0-9]{0,8}(?:公开|信息|书面|有效)申请(?!人|表)(?!.{0,6}(?:复议|诉讼))"),
        ("remedies.review.total", r"^[^，。；、0-9]{0,14}(?:行政)?复议"),
        ("remedies.litigation.total", r"^[^，。；、0-9]{0,14}(?:行政)?(?:诉讼|应诉)"),
        ("complaints.total", r"^[^，。；、0-9]{0,8}(?:举报|投诉)"),
    ),
    *_cues(
        "review",
        ("remedies.review.upheld", r"^(?:被|均|获)?(?:维持|驳回)"),
        ("remedies.review.corrected", r"^(?:被)?(?:责令|纠正|撤销|依法纠错|确认违法)"),
        ("remedies.review.pending", r"^(?:尚?未(?:审)?结|正在|仍在|未判|待)"),
    ),
    *_cues(
        "litigation",
        ("remedies.litigation.upheld", r"^(?:被|均|获)?(?:维持|驳回|胜诉)"),
        ("remedies.litigation.corrected", r"^(?:被)?(?:责令|纠正|撤销|败诉|依法纠错|确认违法)"),
        ("remedies.litigation.pending", r"^(?:尚?未(?:审)?[结判]|正在|仍在|未判|待)"),
    ),
    *_cues(
        "requests",
        (f"{_R}.granted.total", r"^(?:申请)?(?:予以|同意|全部|准予)公开"),
        (f"{_R}.concluded.total", r"^(?:申请)?(?:已|均|全部|都)[^，。；]{0,10}(?:办结|办理完毕)"),
        (f"{_R}.answered.total", r"^(?:申请)?(?:已|均|全部|都)[^，。；]{0,14}答复"),
        (f"{_R}.partially_granted.total", r"^(?:申请)?(?:予以|同意)?部分公开"),
        (f"{_R}.unavailable_not_held.total", r"^(?:的)?(?:信息)?(?:不存在|不掌握)"),
        (f"{_R}.carried_out.total", r"^(?:仍|尚|正)?(?:在办|待答复|待办结|正在办理|结转|转入|未办结|跨年)"),
        (f"{_R}.by_channel.online", r"^(?:是|为|系|通过|经|来自|由)?(?:网上|网络|网站|在线|电子邮件|邮箱)"),
        (f"{_R}.by_channel.mail", r"^(?:是|为|系|通过|经|来自|由)?(?:信函|邮寄|寄送|来信|邮政)"),
        (f"{_R}.by_channel.in_person", r"^(?:是|为|系|通过|经|来自|由)?(?:当面|现场|窗口)"),
        (f"{_R}.by_channel.fax", r"^(?:是|为|系|通过|经|来自|由)?传真"),
        (f"{_R}.new_received.natural_person", r"^(?:是|为|系|来自|由)?(?:自然人|公民|个人|群众|村民|居民)"),
        (f"{_R}.new_received.company", r"^(?:是|为|系|来自|由)?(?:商业企业|企业|公司)"),
        (f"{_R}.new_received.legal_service", r"^(?:是|为|系|来自|由)?(?:法律服务机构|律师事务所|律所|律师)"),
        (f"{_R}.new_received.research", r"^(?:是|为|系|来自|由)?科研"),
        (f"{_R}.new_received.nonprofit", r"^(?:是|为|系|来自|由)?(?:社会公益|公益|社会团体|社会组织)"),
    ),
)  # fmt: skip

BEFORE = (
    *_cues(
        None,
        # capacity
        ("capacity.staff_full_time", r"专职(?:工作)?(?:人员|干部)?|全职(?:工作)?(?:人员)?|专(?:门)?(?:工作)?人员"),
        ("capacity.staff_part_time", r"兼职(?:工作)?(?:人员|干部|信息员|联络员)?"),
        ("capacity.offices", r"(?:专门|工作|办事|主管|办公)(?:工作)?机构(?!改革)"),
        ("capacity.reading_points", r"查阅(?:点|场所|室|中心|处)|查询点|公共查阅"),
        ("capacity.budget_wan_yuan", r"(?:信息公开|政务公开|专项)[^，。；]{0,8}资金|经费"),
        ("capacity.trainees", r"培训|参训|受训|轮训|到训|参加者|参加(?:培训)?(?:人员|人数|干部)"),
        ("capacity.trainings", r"培训班|培训会|(?:业务|专题|集中|学习|政务公开|信息公开)[^，。；]{0,6}培训|培训活动|(?:举办|组织|开展|召开|自办)[^，。；]{0,12}(?:培训|轮训|讲座|授课)|培训|轮训"),
        ("capacity.meetings", r"(?:召开|举行|组织|开过|开了)[^，。；]{0,16}(?:会议|(?:工作|推进|专题|调度|部署|联席|协调|碰头|动员|总结)会)|(?:工作|专题|联席|推进|部署|协调|调度|碰头)(?:会议?|会)|例会|专题研究(?:政务公开|信息公开)|(?<!办公)(?<!常务)会议$"),
        # engagement
        ("engagement.press_conferences", r"新闻(?:发布会|通气会)|(?<!新闻)发布会"),
        ("engagement.interviews", r"(?:在线|网络|网上|嘉宾|视频|直播)访谈|访谈(?:节目|活动)?"),
        ("engagement.interpretations", r"(?:政策|文件|专家|图文|图解|视频)[^，。；]{0,6}解读|解读(?:材料|稿件?|信息|文章|文件|类|政策)|解读|图解|一图读懂"),
        (None, r"留言[^，。；]{0,4}收到|(?:收到|受理)[^，。；]{0,10}(?:(?<!纠错)留言|来信|信件|提问|咨询)"),
        ("engagement.concern_responses", r"回应[^，。；]{0,12}(?:关切|关注|热点|舆情|留言|事件|诉求|问题|信件)|(?:回复|答复|办理|处理|处置|应对)[^，。；]{0,12}(?:留言|来信|信箱|网民|网友|舆情)|(?:留言|信箱|信件|舆情)[^，。；]{0,8}(?:回应|回复|答复|办理|处置)|回应"),
        # table figures repeated in prose
        ("proactive.penalties.decisions", r"行政处罚(?:处理)?决定"),
        ("proactive.licensing.decisions", r"行政许可(?:处理)?决定"),
        ("proactive.coercion.decisions", r"行政强制(?:措施)?(?:处理)?决定"),
        ("proactive.procurement.items", r"集中采购(?:项目)?(?:数量)?"),
        # documents
        ("proactive.normative_documents.repealed", r"(?:废止|失效|清理|宣布失效)[^，。；]{0,8}(?:规范性文件)|规范性文件[^，。；]{0,10}(?:废止|失效)"),
        ("proactive.normative_documents.in_force", r"(?:现行有效|有效|继续有效)[^，。；]{0,8}规范性文件|规范性文件[^，。；]{0,10}(?:现行有效|继续有效|有效)"),
        ("proactive.normative_documents.disclosed", r"(?:公开|发布|公布)[^，。；]{0,10}规范性文件|规范性文件[^，。；]{0,12}(?:公开|发布|公布|上网)"),
        ("proactive.normative_documents.issued", r"(?:制发|制定|出台|印发|下发|新制定)[^，。；]{0,10}规范性文件|规范性文件(?:总数|数量?)?"),
        ("proactive.regulations.disclosed", r"(?:公开|发布|公布)[^，。；]{0,6}规章"),
        ("proactive.regulations.issued", r"(?:制发|制定|出台|印发|下发)?[^，。；]{0,4}(?<!法律法规)规章"),
        # money
        ("fees.processing_fee_yuan", r"信息处理费"),
        ("fees.waived_yuan", r"减免|免收|减收"),
        ("fees.charged_yuan", r"收取|(?<!免)收费|收缴|(?:检索|复制|复印|邮寄|成本)费"),
        # remedies
        ("remedies.litigation_after_review.total", r"复议后(?:又)?(?:起诉|提起(?:行政)?诉讼)|(?<!未)经复议[^，。；]{0,3}(?:起诉|提起)"),
        ("remedies.litigation_direct.total", r"未经复议(?:直接)?(?:起诉|提起)|直接(?:起诉|提起(?:行政)?诉讼)"),
        ("remedies.litigation.total", r"行政诉讼|诉讼案?|应诉|被?起诉"),
        ("remedies.review.total", r"行政复议|复议案?"),
        ("complaints.total", r"举报|投诉|纠错留言"),
        # requests
        (f"{_R}.carried_in.total", r"(?:上年度?|上一年度?|去年|\d{4}年度?)[^，。；]{0,6}结转(?!下)|结转(?:至|到)?(?:本年|今年)|上年(?:未办结|遗留)"),
        (f"{_R}.carried_out.total", r"结转(?:至|到)?(?:下|次|明|\d{4})年?|转(?:入|至|到)?\d{4}年(?:办理)?|(?:转|跨)(?:入|至)?(?:下|次)(?:一)?年|待(?:答复|办结)|(?:正在|尚在|仍在)(?:办理|处理)|下年度?继续办理|顺延"),
    ),
    *_cues(
        None,
        (f"{_R}.by_channel.in_person", r"(?:当面|现场|窗口|上门|到场|当场)(?:提交|提出|递交|受理|申请)+(?:的)?(?:申请)?|当面|现场$"),
        (f"{_R}.by_channel.fax", r"传真(?:提交|提出|方式|形式)*(?:的)?(?:申请)?"),
    ),
    *_cues(
        "requests",
        (f"{_R}.by_channel.online", r"(?:网络|网上|在线|网站|电子邮[件箱]|互联网|平台|邮箱)(?!.{0,3}(?:访谈|公开|发布))(?:渠道|方式|形式|途径|系统)?(?:提交|提出|递交|收到|受理|申请)*(?:的)?(?:申请)?"),
        (f"{_R}.by_channel.mail", r"(?:信函|邮寄|寄送|信件|邮政|邮件|挂号信?|书信|(?<!收到)来信|EMS|快递)(?:专递)?(?:渠道|方式|形式)?(?:提交|提出|递交|收到|申请)*(?:的)?(?:申请)?"),
        (f"{_R}.by_channel.other", r"(?<!通过)其他(?:方式|形式|渠道|途径)(?:提交|提出)?(?:的)?(?:申请)?"),
        (f"{_R}.new_received.natural_person", r"(?:自然人|(?<!收到)(?<!受理)(?:公民|群众|市民)|个人|(?<!收到)(?<!受理)(?:村民|居民))(?:提交|提出|申请)*(?:的)?(?:申请)?"),
        (f"{_R}.new_received.company", r"(?:商业企业|企业|公司)(?:法人)?(?:提交|提出|申请)*(?:的)?(?:申请)?"),
        (f"{_R}.new_received.research", r"科研(?:机构|院所|单位)(?:提交|提出|申请)*(?:的)?(?:申请)?"),
        (f"{_R}.new_received.nonprofit", r"(?:社会)?公益(?:组织|团体)?|社会(?:团体|组织)(?:提交|提出|申请)*(?:的)?(?:申请)?"),
        (f"{_R}.new_received.legal_service", r"(?:法律服务机构|律师事务所|律所|律师)(?:提交|提出|申请)*(?:的)?(?:申请)?"),
        (f"{_R}.new_received.other_organisation", r"(?<!法人和)(?<!法人或)(?<!法人及)(?<!法人、)其他(?:法人|组织|机构)(?:或其他组织)?(?:提交|提出|申请)*(?:的)?(?:申请)?"),
        (f"{_R}.partially_granted.total", r"部分公开|(?:同意|予以)部分(?:公开)?|区分处理"),
        (f"{_R}.denied_state_secret.total", r"国家秘密|涉密"),
        (f"{_R}.denied_third_party.total", r"第三方|商业秘密|个人隐私"),
        (f"{_R}.denied_internal_affairs.total", r"内部(?:管理|事务)(?:性)?信息|内部事务"),
        (f"{_R}.denied_deliberative.total", r"过程性信息"),
        (f"{_R}.denied_enforcement_file.total", r"执法案卷"),
        (f"{_R}.denied_administrative_query.total", r"行政查询"),
        (f"{_R}.denied_security_stability.total", r"三安全一稳定|(?:国家|公共|经济)安全"),
        (f"{_R}.denied_law_prohibits.total", r"法律[、,，]?(?:行政)?法规(?:规定)?(?:禁止|不得|不予)公开"),
        (f"{_R}.unavailable_must_be_created.total", r"(?:没有现成|需要?另行)(?:信息|制作|加工)+|(?:汇总|加工|另行)制作|加工分析"),
        (f"{_R}.unavailable_unclear.total", r"(?:申请)?(?:内容|描述|指向)(?:仍|仍然)?不(?:明确|清|具体)|补正后"),
        (f"{_R}.unavailable_not_held.total", r"(?:信息)?不存在|[未不]掌握|非本(?:机关|行政机关|单位)|不属于本(?:行政)?(?:机关|单位)|未制作"),
        (f"{_R}.unprocessed_petition.total", r"信访(?:举报|投诉|类|事项)*|举报投诉类"),
        (f"{_R}.unprocessed_repeat.total", r"重复(?:提出)?申请|重复"),
        (f"{_R}.unprocessed_publication.total", r"公开出版物"),
        (f"{_R}.unprocessed_mass.total", r"大量(?:、)?反复"),
        (f"{_R}.unprocessed_confirmation.total", r"重新出具|确认或"),
        (f"{_R}.other_not_corrected.total", r"逾期(?:未|不)补正"),
        (f"{_R}.other_fee_unpaid.total", r"逾期(?:未|不)(?:按|缴)"),
        (f"{_R}.other_outcome.total", r"其他处理|撤回|视为放弃"),
        (None, r"依申请公开的$|作出更改|更改补充|不予公开|免予公开|不同意公开|不予提供|否决|按(?:时|期)(?:办结|答复)(?=[^，。；]*(?:率|，延期))|延期|主动公开范围|其他途径|信息公开目录"),
        (f"{_R}.granted.total", r"(?:予以|同意|准予|全部|依法|给予)公开|(?<!申请)(?<!主动)公开(?:答复)?(?=的?$)|提供信息"),
        (f"{_R}.new_received.total", r"(?:受理|收到|接到|接收|新收|申请数量?)(?:共|了|为|达)*$"),
        (f"{_R}.concluded.total", r"办结|办理完毕|办毕|处理完毕"),
        (f"{_R}.answered.total", r"答复|回复"),
    ),
    *_cues(
        "review",
        ("remedies.review.upheld", r"维持|驳回(?!(?:复议)?申请)"),
        ("remedies.review.other", r"驳回(?:复议)?申请"),
        ("remedies.review.corrected", r"纠正|纠错|撤销|确认违法|责令|变更"),
        ("remedies.review.pending", r"尚?未(?:审)?结|[正尚还仍]在(?:审理|办理)|审理中|未审结|待审|在审"),
        ("remedies.review.other", r"其他(?:结果|情形|处理)|其他$|终止|撤回|调解|和解|不予受理"),
    ),
    *_cues(
        "litigation",
        ("remedies.litigation.upheld", r"维持|驳回|胜诉"),
        ("remedies.litigation.corrected", r"纠正|纠错|撤销|确认违法|责令|败诉|变更"),
        ("remedies.litigation.pending", r"尚?未(?:审)?结|[正尚还仍]在(?:审理|办理)|审理中|未审结|待审|在审"),
        ("remedies.litigation.other", r"其他(?:结果|情形|处理)|其他$|终止|撤诉|撤回|调解|和解|不予立案"),
    ),
    *_cues(
        None,
        (f"{_R}.new_received.total", r"(?:收到|受理|接到|接收|接受|新收|收|办理|处理)[^，。；、]{0,24}(?:申请|依申请公开)(?!人|行政复议|复议)(?:件|数量?|书|事项)?(?!.{0,8}(?:复议|诉讼))|依申请公开(?:政府)?(?:信息)?(?:申请)?(?=共?$)|(?:公开|信息)申请(?:书|件|数量?|总量)?(?=(?:共|共计|合计|为|是|有|达)?$)"),
        # channels: several at once before single ones
        (f"{_C}.several", r"(?:微博|微信|网站|平台|公开网|公[告开示]栏|电子(?:显示)?屏|公众号|头条|新媒体|客户端|报[刊纸]|广播|电视)[^，。；]{0,8}(?:[、和与及]|以及)[^，。；]{0,10}(?:微博|微信|网站|平台|公开网|公[告开示]栏|电子(?:显示)?屏|公众号|头条|抖音|新媒体|客户端|报[刊纸]|广播|电视(?:台)?)(?:等)?[^，。；]{0,14}|两微(?:一端)?|各类媒体|(?:微博|微信)等[^，。；]{0,8}"),
        (f"{_C}.weibo", r"微博|发博"),
        (f"{_C}.wechat", r"微信|公众号|推文"),
        (f"{_C}.other_new_media", r"头条|抖音|快手|视频号|短视频|客户端|手机报|新媒体|APP|手机短信"),
        (f"{_C}.disclosure_platform", r"(?:信息公开|政务公开|公开)(?:统一|交互|申请|目录|发布)?(?:平台|系统|目录|专栏|专网|网)|公文公开平台"),
        (f"{_C}.service_portal", r"政务服务(?:网|平台|APP)|网上办事大厅|网上政务大厅|网上服务大厅"),
        (f"{_C}.gazette", r"公报|政报"),
        (f"{_C}.broadcast", r"电视|广播|电台"),
        (f"{_C}.newspaper", r"(?<!公)报[刊纸社]|[县市区]报(?!告|送|名|道)|(?<!质量)日报(?!表)|晚报|《今日[^》]*》|《[^》]{1,8}(?<!公)(?<!政)(?<!快)(?<!简)报》|杂志|新闻媒体|媒体(?:刊发|刊登|发表|报道)|(?:人民|新华|大众|南方)网|平面媒体|传统媒体|刊登稿件|媒体刊发"),
        (f"{_C}.notice_board", r"(?:公开|公示|宣传|公告|揭示|告示)(?:栏|板|窗口|屏)|电子屏|LED|显示屏|张贴"),
        (f"{_C}.other", r"其他(?:方式|渠道|形式|途径|平台)|宣传单|明白纸|手机短信|印发资料|会议形式"),
        (f"{_C}.website", r"(?:门户|政府|政务|官方|部门|本局|局|县|市|区|镇|单位)?(?:门户)?(?:网站|官网|外网|政府网|互联网|网页)|网上公开|网站|(?<!互联)(?<!公开)(?<!服务)[\u4e00-\u9fff]{2}网(?=[”》]?(?:上|共|登载|刊登|公开|发布|更新|：|$))"),
        # totals
        ("proactive.cumulative_total", r"历年(?:来)?(?:累计)?|自[^，。；]{2,20}(?:以来|起|至今)[^，。；]{0,8}(?:累计|共|已)?[^，。；]{0,6}|(?:建站|开通|实施|成立|上线)[^，。；]{0,4}以来|自[^，。；]{2,16}(?:实施|施行|开通)[^，。；]{0,12}累计"),
        ("proactive.total", r"(?:(?:主动)?(?:公开|发布|公布|更新|新增)(?:了|过)?(?:的)?(?:各类|各种|各项|全部)?(?:[^，。；、]{0,6})?(?:政府|政务|动态|公开)?信息(?:公开)?(?:的)?(?:总数|数量?|总量|总)?|(?:公开|发布)(?:总量|总数|数量)|信息(?:公开|发布)?(?:总量|总数|数量)|(?:主动公开|公开|发布)(?:的)?(?=(?:共|共计|总计|合计|累计|达|有|为|了|的|总数|数量)*$)|新增(?:主动)?公开|合计|总计|^总[数量]$)(?:了)?"),
    ),
)  # fmt: skip

REQUESTS_HEADING = re.compile(r"依申请|申请公开|申请(?:公开)?(?:的)?(?:办理|受理|处理)|收到和处理")
REMEDIES_HEADING = re.compile(r"复议|诉讼")
FEES_HEADING = re.compile(r"收费|费用|减免")
