"""Phrases with which providers refuse a prompt or a video because of its content.

The key "several" has phrases that several providers or gateways share. The patterns are searched
for in the strings and error codes of a response. Case is ignored, and underscores in codes count as
spaces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

POLICY: Mapping[str, tuple[str, ...]] = {
    "OpenAI": (
        r"moderation|moderated",
        r"safety[ _](?:system|filter|violation|policy|check|guideline|setting)",
        r"safety[ _](?:reason|concern|block)",
        r"sentinel_block",
        r"third[ -]party (?:content|likeness)",
        r"guardrails? (?:concerning|around|about|on)\b",
    ),
    "Azure OpenAI": (r"content[ _-]?(?:filter|management)", r"ResponsibleAIPolicyViolation"),
    "Google": (
        # Google's codes are in capitals. In lower case, the same words may mean anything.
        r"(?-i:\b(?:IMAGE_|VIDEO_|PROMPT_)?(?:SAFETY|BLOCKLIST|SPII)\b)",
        r"(?-i:\b(?:IMAGE_)?(?:RECITATION|PROHIBITED_CONTENT)\b)",
        r"responsible ai",
        r"raiMediaFiltered|rai[ _](?:media[ _])?filtered",
        r"try rephrasing|rephrase (?:the|your) prompt",
    ),
    "OpenRouter": (r"input was flagged", r"requires moderation"),
    "LiteLLM": (r"content[ _-]?policy", r"policy[ _]?violation", r"violated_policies"),
    "new-api, one-api": (r"sensitive[ _]words?", r"敏感词", r"屏蔽词", r"违禁词"),
    "Volcengine, BytePlus": (
        r"Sensitive(?:Content|Info)",
        r"(?:Text|Image|Video|Audio)RiskDetection",
        r"may contain (?:sensitive|severe|real person)",
        r"(?:text|img|image|video|audio) risk not pass",
        r"related to copyright",
    ),
    "MiniMax": (
        r"new_sensitive",
        r"sensitive[ _](?:content|material|information|topic)",
        r"涉及?敏感",
    ),
    "Kling": (r"risk control system", r"content security"),
    "Alibaba": (
        r"data[ _]?inspection[ _]?failed",
        r"inappropriate (?:content|words?|language|prompt|material|input)",
        r"IPInfringementSuspect",
        r"green net check",
    ),
    "Zhipu": (r"contentFilter", r"不安全或敏感"),
    "Tencent": (r"(?:Text|Image|Video)Illegal", r"illegal[ _](?:prompt|content|text)"),
    "Baidu": (r"unsafe_request", r"prompt[ _]unsafe", r"prompt field is unsafe"),
    "Vidu": (r"AuditSubmitIllegal", r"PolicyViolation"),
    "Novita": (r"ILLEGAL_(?:PROMPT|IMAGE)",),
    "Runway": (r"SAFETY\.(?:INPUT|OUTPUT)", r"content moderation"),
    "Luma": (r"prompt not allowed", r"blacklisted words?"),
    "Replicate": (r"flagged as (?:sensitive|unsafe|nsfw)", r"\bE005\b", r"nsfw"),
    "fal": (r"content[ _]checker", r"flagged by (?:a|the|our) content"),
    "xAI": (r"(?:usage|community|content) (?:guidelines|rules)", r"SAFETY_CHECK_TYPE"),
    "Amazon Bedrock": (r"blocked by our content", r"guardrail[ _]intervened"),
    "Midjourney": (r"banned (?:prompt|words?)", r"community standards"),
    "Adobe": (r"(?:disallowed|unsafe) prompt|prompt is (?:disallowed|unsafe)",),
    "DeepSeek, Moonshot": (r"content exists risk|considered high risk",),
    "several": (
        r"prohibited[ _](?:content|use)",
        r"(?:harmful|unsafe|offensive|disallowed|forbidden|sexual|explicit|adult|violent) content",
        r"(?:illegal|inappropriate|restricted|banned|blocked|sensitive) content",
        r"(?:prohibited|forbidden|blocked|banned|restricted|risk) (?:key)?(?:words?|terms?)\b",
        r"content (?!type|length|encoding)(?:\S+ ){0,2}(?:violation|blocked|restricted|rejected)",
        r"content (?:\w+ ){0,2}(?:prohibited|unsafe|safety)",
        r"violat\w* (?:\S+ ){0,6}(?:polic|guideline|terms|rules|standards|guardrail)",
        r"against (?:\S+ ){0,4}(?:polic|guideline|terms|rules|standards|guardrail)",
        r"prompt (?:\S+ ){0,3}(?:was|were|is|been|got) (?:blocked|rejected by)",
        r"prompt (?:blocked|rejected)(?!.{0,40}(?:long|length|character|token|exceed))",
        r"(?:blocked|rejected|refused|filtered) (?:\S+ ){0,3}safety|(?:blocked|rejected) by policy",
        r"(?:deemed|considered) (?:\w+ ){0,2}(?:unsafe|inappropriate|harmful|offensive)",
        r"\bflagged (?:as|by|for)",
        r"(?:copyright|trademark)(?:ed)?\b.{0,40}(?:restrict|infring|violat|protect|claim)",
        r"infring|intellectual property|copyright check",
        r"public figure|celebrit|likeness of",
        r"(?:of|with|depict\w*) (?:real (?:people|persons?)|minors)",
        r"hate speech|self[ -]harm|graphic violence|nudity|pornograph|child (?:safety|abuse)",
        r"(?<!大小[写寫])敏感|涉敏|违禁|违规|違規|违法|非法(?:内容|信息)|不合规|不合規|不安全",
        r"(?:违反|違反).{0,12}(?:政策|规定|規定|规范|規範|条款|策略|法)",
        r"不符合.{0,8}(?:社区|平台|内容|安全).{0,6}(?:规范|规则|政策|规定)",
        r"不当内容|不當內容|不良信息|色情|涉黄|涉政|涉暴|血腥|暴力|未成年|侵权|版权|著作权",
        r"(?:审核|審核|安全检测|内容检测|风险检测)(?:未|不|没有?|失败|拒绝)",
        r"(?:未|不|没)(?:能)?通过.{0,8}(?:审核|检测|安全|风控)|(?:内容|安全)审查",
        r"内容安全|安全(?:策略|政策|规范)|风控|存在风险|风险(?:内容|词)|禁止生成",
        r"コンテンツ\s*ポリシー|安全(?:性|ポリシー)|不適切|(?:規約|ポリシー).{0,4}(?:違反|抵触)",
        r"センシティブ|公序良俗|有害な|禁止(?:された|ワード|用語)|著作権",
        r"콘텐츠\s*정책|안전\s*정책|정책.{0,4}위반|부적절한|유해한|민감한",
        r"inappropri[eé]|inapropiad|inadequado|unangemessen|anstößig",
        r"(?:verstö|versto[sß]).{0,40}(?:richtlinie|regel)",
        r"(?:enfrei|viole |viola ).{0,40}(?:pol[ií]ti|norma|règle)",
        r"наруша.{0,40}(?:политик|правил)",
    ),
}
