"""The wording of providers' refusals: one table for each kind of refusal, by provider.

"several": wording that several providers or gateways share. Patterns are searched for in an
answer's strings, ignoring case. Codes are compared with the values of its code fields.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.errors import ErrorKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    Table = Mapping[str, tuple[str, ...]]

POLICY: Table = {
    "OpenAI": (
        r"moderation|moderated",
        r"safety[ _](?:system|filter|violation|policy|check|guideline)",
        r"sentinel_block",
        r"third[ -]party (?:content|likeness)",
        r"disallowed content",
    ),
    "Azure OpenAI": (r"content[ _-]?(?:filter|management)", r"ResponsibleAIPolicyViolation"),
    "Google": (
        # Google's codes are in capitals; in lower case, the same words may mean anything.
        r"(?-i:\b(?:IMAGE_|VIDEO_|PROMPT_)?(?:SAFETY|BLOCKLIST|SPII)\b)",
        r"(?-i:\b(?:IMAGE_)?(?:RECITATION|PROHIBITED_CONTENT)\b)",
        r"responsible ai",
        r"raiMediaFiltered|rai[ _]media[ _]filtered",
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
    "Midjourney": (r"banned (?:prompt|words?)",),
    "several": (
        r"prohibited[ _](?:content|use)",
        r"(?:harmful|unsafe|offensive|disallowed|forbidden|sexual|explicit|adult) content",
        r"violat\w* (?:\S+ ){0,6}(?:polic|guideline|terms|rules)",
        r"against (?:\S+ ){0,4}(?:polic|guideline|terms|rules)",
        r"prompt (?:\S+ ){0,3}(?:was|were|is|been|got) (?:blocked|rejected by)",
        r"\bflagged (?:as|by|for)",
        r"(?:copyright|trademark)(?:ed)?\b.{0,40}(?:restrict|infring|violat|protect|claim)",
        r"public figure|celebrit|likeness of",
        r"敏感(?:内容|信息|词|资讯)|敏感內容|涉敏",
        r"违规|違規|违反.{0,12}(?:政策|规定|规范|条款|策略|法)|違反.{0,12}(?:政策|規定|規範)",
        r"不合规|不合規|不安全内容|不当内容|不當內容|不良信息|违法|色情|涉黄|涉政|涉暴",
        r"(?:审核|審核|安全检测|内容检测|风险检测)(?:未|不|没有?|失败)",
        r"(?:未|不|没)(?:能)?通过.{0,8}(?:审核|检测|安全|风控)|内容安全|风控",
        r"コンテンツ\s*ポリシー|不適切な|規約.{0,4}違反|ポリシー.{0,4}違反|センシティブ",
        r"콘텐츠\s*정책|정책.{0,4}위반|부적절한",
    ),
}

KEY: Table = {
    "OpenAI": (
        r"invalid[ _]api[ _]key|incorrect api key|api[ _]key[ _]is[ _]invalid",
        r"does not have access|have insufficient permissions",
    ),
    "Google": (
        r"api[ _]key[ _](?:not[ _]valid|invalid|expired|not[ _]found|reported)",
        r"\bPERMISSION_DENIED\b|API_KEY_(?:INVALID|SERVICE_BLOCKED|HTTP_REFERRER_BLOCKED)",
        r"unregistered callers",
    ),
    "LiteLLM": (r"invalid proxy server token", r"not allowed to (?:access|call) (?:this )?model"),
    "new-api, one-api": (
        r"无效的令牌|令牌.{0,8}(?:无效|过期|禁用|不可用)|无权访问|用户已被封禁|没有权限",
        r"该令牌.{0,6}无权|token.{0,12}(?:not allowed|expired|disabled)",
    ),
    "Alibaba": (r"InvalidApiKey|invalid_api-key", r"Workspace\.AccessDenied"),
    "Volcengine, BytePlus": (r"AccessDenied|InvalidAccessKey|SignatureDoesNotMatch",),
    "Tencent": (r"AuthFailure|UnauthorizedOperation",),
    "Novita": (r"BILLING_AUTH_FAILED|API_NOT_ALLOWED|NEED_REAL_NAME_VERIFY",),
    "fal": (r"no user found for key|invalid key credentials",),
    "several": (
        r"(?:invalid|expired|revoked|unknown|wrong|missing) (?:api|access)[ -]?(?:key|token)",
        r"api[ -]?(?:key|token) (?:\S+ ){0,3}(?:invalid|expired|revoked|disabled|blocked|missing)",
        r"(?:permission|access) denied|not authori[sz]ed|unauthori[sz]ed",
        r"authentication (?:fail|err)",
        r"\bno (?:\w+ )?(?:access|permission)",
        r"ip[ _](?:address )?(?:\S+ ){0,2}not (?:allowed|whitelisted|in (?:the )?whitelist)",
        r"密钥.{0,6}(?:无效|错误|过期)|鉴权失败|认证失败|未授权|账[户号].{0,6}(?:封禁|冻结|停用)",
    ),
}

MONEY: Table = {
    "OpenAI": (r"billing|exceeded your current quota",),
    "new-api, one-api": (r"insufficient_user_quota|pre_consume_token_quota_failed", r"额度"),
    "OpenRouter": (r"key limit exceeded|can only afford|add more (?:credits|using)",),
    "LiteLLM": (r"budget (?:has been )?exceeded|exceeded[ _]?(?:token[ _]?)?budget|over budget",),
    "Google": (r"prepayment credits|spending (?:cap|limit)",),
    "Alibaba": (r"Arrearage|FreeTierOnly|free tier (?:\S+ ){0,5}exhausted|good standing",),
    "Volcengine, BytePlus": (r"AccountOverdue|overdue balance|ServiceOverdue|InsufficientBalance",),
    "Kling": (r"in arrears|resource pack (?:\S+ ){0,3}(?:depleted|exhausted|expired|deplete)",),
    "Tencent": (r"ResourcePackExhausted|FreeResourcePack|InArrears|ServiceIsolate",),
    "Vidu": (r"CreditInsufficient",),
    "Novita": (r"BALANCE_NOT_ENOUGH|NOT_ENOUGH_BALANCE",),
    "fal": (r"exhausted balance|locked.{0,20}balance",),
    "xAI": (r"(?:doesn't|does not) have any credits|used all available credits",),
    "Runway": (r"not have enough (?:credit|balance|fund)",),
    "several": (
        r"(?:insufficient|not enough|no|out of|low) (?:\w+ ){0,2}(?:quota|balance|credit|fund)",
        r"insufficient[_-]?(?:\w+_)?(?:quota|balance|credit|fund)",
        r"(?:quota|balance|credits?|funds?)[ _](?:\w+[ _]){0,2}(?:insufficient|not enough|low)",
        r"(?:quota|balance|credits?)[ _](?:\w+[ _]){0,2}(?:exhausted|depleted|empty|used up)",
        r"(?:top|topped) up|recharge|payment required|payment[ _]method|unpaid",
        r"余额|欠费|欠款|充值|点数不足|积分不足|餘額|欠費|儲值|配额.{0,4}(?:不足|用尽|用完|耗尽)",
        r"残高|クレジット.{0,4}不足|잔액|크레딧.{0,4}부족",
    ),
}

SETUP: Table = {
    "OpenAI": (r"unsupported_country|country, region,? or territory not supported",),
    "Google": (r"user location is not supported|has not been used in project|api is disabled",),
    "new-api, one-api": (r"无可用渠道|model_not_found|no available channel",),
    "Volcengine, BytePlus": (r"ModelNotOpen|has not activated the model|InvalidEndpointOrModel",),
    "Alibaba": (r"Model\.?AccessDenied|ModelNotFound|Model not exist",),
    "LiteLLM": (r"invalid model name passed|no healthy deployment",),
    "Cloudflare": (r"error code: 10\d\d|attention required! \| cloudflare|cf-error-details",),
    "several": (
        r"(?:no such|unknown|unsupported) model|model.{0,80}(?:does not exist|not found|not exist)",
        r"模型.{0,20}(?:不存在|未开通|不可用)",
    ),
}

OVERLOAD: Table = {
    "OpenAI": (r"rate_limit_exceeded|server_overloaded|slow_down|engine.{0,16}overloaded",),
    "Google": (r"RESOURCE_EXHAUSTED|rateLimitExceeded|model is overloaded",),
    "Volcengine, BytePlus": (r"ServerOverloaded|RateLimitExceeded|request has reached api limit",),
    "Alibaba": (r"Throttling",),
    "Tencent": (r"RequestLimitExceeded|ResourceInsufficient|JobNumExceed",),
    "Baidu": (r"concurrency_exceeded",),
    "Vidu": (r"SystemThrottling",),
    "Replicate": (r"\bE003\b",),
    "LiteLLM": (r"RateLimitError|no deployments available",),
    "several": (
        r"rate[ _-]?limit|too many (?:\w+ )?(?:requests|jobs|tasks|generations)|throttl",
        r"overload|too busy|(?:is|are|server|system|service) (?:\w+ )?busy|high (?:demand|load)",
        r"concurren\w+ (?:\S+ ){0,3}(?:limit|exceed)|queue is full|(?:at|over|no) capacity",
        r"quota (?:\S+ ){0,2}exceeded",
        r"请求过于频繁|请求频率|频率限制|限流|并发|繁忙|负载|过载|混雑",
    ),
}

CODES: Mapping[str, Mapping[ErrorKind, tuple[str, ...]]] = {
    "MiniMax": {
        ErrorKind.MODERATED: ("1026", "1027"),
        ErrorKind.BALANCE: ("1008",),
        ErrorKind.AUTH: ("1004", "2049"),
        ErrorKind.RATE: ("1002", "1039", "1041"),
    },
    "Kling": {
        ErrorKind.MODERATED: ("1301",),
        ErrorKind.BALANCE: ("1101", "1102"),
        ErrorKind.RATE: ("1302", "1303"),
    },
    "Zhipu": {ErrorKind.BALANCE: ("1113",), ErrorKind.RATE: ("1305",)},
    "Volcengine, BytePlus": {
        ErrorKind.MODERATED: ("50411", "50412", "50413", "50511", "50512"),
        ErrorKind.RATE: ("50429", "50430"),
    },
    "PixVerse": {
        ErrorKind.MODERATED: ("500054", "500063"),
        ErrorKind.BALANCE: ("500090",),
        ErrorKind.RATE: ("500044",),
    },
}


def _any_of(table: Table) -> re.Pattern[str]:
    return re.compile(
        "|".join(f"(?:{row})" for rows in table.values() for row in rows), re.IGNORECASE
    )


# The order matters: access is also denied when credit or the model is missing.
_WORDS = {
    ErrorKind.MODERATED: _any_of(POLICY),
    ErrorKind.BALANCE: _any_of(MONEY),
    ErrorKind.SETUP: _any_of(SETUP),
    ErrorKind.AUTH: _any_of(KEY),
    ErrorKind.RATE: _any_of(OVERLOAD),
}
_KINDS = {code: kind for kinds in CODES.values() for kind, codes in kinds.items() for code in codes}
# An account may be closed because of earlier prompts, or because of unpaid bills.
_CLOSED = re.compile(
    r"(?:account|organi[sz]ation|user|project|key) (?:\S+ ){0,4}"
    r"(?:deactivated|suspended|disabled|banned|frozen|terminated)",
    re.IGNORECASE,
)


def kind_of_code(code: str) -> ErrorKind | None:
    """Look up the kind of refusal that a provider's code means; None: the code is unknown."""
    return _KINDS.get(code)


def kind_of_text(text: str) -> ErrorKind | None:
    """Return the kind of refusal that a text expresses; None: it contains no known wording."""
    if _CLOSED.search(text):
        owes = _WORDS[ErrorKind.BALANCE].search(text)
        return ErrorKind.BALANCE if owes else ErrorKind.AUTH
    return next((kind for kind, words in _WORDS.items() if words.search(text)), None)
