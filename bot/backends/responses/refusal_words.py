"""Phrases with which providers refuse requests, in one table for each kind of refusal.

The key "several" has phrases that several providers or gateways share. The patterns are searched
for in the strings and error codes of a response. Case is ignored, and a code is divided into its
words first. The values in `CODES` are compared with whole error codes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.backends.responses.policy_words import POLICY
from bot.errors import ErrorKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    Table = Mapping[str, tuple[str, ...]]

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
        r"token (?:\w+ ){0,2}(?:revoked|expired)|missing auth\w* token|insufficient[ _]scope",
        r"ip[ _](?:address )?(?:\S+ ){0,2}not (?:allowed|whitelisted|in (?:the )?whitelist)",
        r"密钥.{0,6}(?:无效|错误|过期)|鉴权失败|认证失败|未授权|账[户号].{0,6}(?:封禁|冻结|停用)",
    ),
}

MONEY: Table = {
    "OpenAI": (r"billing|exceeded your current quota",),
    "new-api, one-api": (r"insufficient_user_quota|pre_consume_token_quota_failed", r"额度"),
    "OpenRouter": (r"key limit exceeded|can only afford|add more (?:credits|using)",),
    "LiteLLM": (r"budget (?:has been )?exceeded|exceeded[ _]?(?:token[ _]?)?budget|over budget",),
    "Google": (r"prepayment credits|spend(?:ing)? (?:cap|limit)",),
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
        r"(?:balance|credits?|funds?) (?:\w+ ){0,2}not sufficient|negative balance",
        r"(?<![\d.,])0 (?:\w+ ){0,2}credits?|requires? (?:\w+ ){0,2}[\d.]+ (?:\w+ )?credits?",
        r"credits? limit|(?:buy|purchase|add) (?:\w+ ){0,2}credits?",
        r"(?:top|topped) up|recharge|payment required|payment[ _]method|unpaid|overdue|arrears",
        r"(?:resource )?pack(?:age)? (?:\w+ ){0,2}(?:exhausted|depleted|used up)|not purchased",
        r"余额|欠费|欠款|充值|点数不足|积分不足|餘額|欠費|儲值|配额.{0,4}(?:不足|用尽|用完|耗尽)",
        r"套餐|(?:次数|算力|资金|资源包).{0,4}(?:不足|用尽|用完|耗尽)|会员.{0,4}(?:过期|到期)",
        r"saldo|guthaben|solde insuffisant|недостаточно средств|(?:fondos|créditos) insuficientes",
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
        r"concurren\w+ (?:\S+ ){0,3}(?:limit|exceed)|limit (?:\S+ ){0,3}concurren",
        r"queue is full|(?:at|over|no) capacity",
        r"quota (?:\S+ ){0,2}exceeded",
        r"(?:maximum|max) (?:number|amount) of (?:\w+ ){0,2}(?:concurrent|jobs|tasks|requests)",
        r"try again (?:later|in (?:a|\d))|请?稍后(?:再试|重试)|队列|排队|順番待ち",
        r"请求过于频繁|请求频率|频率限制|限流|并发|繁忙|负载|过载|混雑",
    ),
}

# This table is searched last, because a busy service may also advertise a larger plan.
PLAN: Table = {
    "several": (
        r"(?:upgrade|change) (?:\w+ ){0,4}plan|(?:free )?trial (?:\w+ )?(?:ended|expired|over)",
        r"subscription (?:\w+ ){0,2}(?:expired|ended|inactive|required|cancell?ed)",
        r"no active (?:plan|subscription)",
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


# The order matters. If credit or the model is missing, providers also say that access is denied.
_WORDS = {
    ErrorKind.MODERATED: _any_of(POLICY),
    ErrorKind.BALANCE: _any_of(MONEY),
    ErrorKind.SETUP: _any_of(SETUP),
    ErrorKind.AUTH: _any_of(KEY),
    ErrorKind.RATE: _any_of(OVERLOAD),
}
_PLAN = _any_of(PLAN)
_JOINTS = re.compile(r"(?<=[a-z])(?=[A-Z])|[_-]+|(?<!\d)\.|\.(?!\d)")
_KINDS = {code: kind for kinds in CODES.values() for kind, codes in kinds.items() for code in codes}
# An account may have been closed because of earlier prompts or because of unpaid bills.
_CLOSED = re.compile(
    r"(?:account|organi[sz]ation|user|project|key) (?:\S+ ){0,4}"
    r"(?:deactivated|suspended|disabled|banned|frozen|terminated)",
    re.IGNORECASE,
)


def kind_of_code(code: str) -> ErrorKind | None:
    """Return the kind of refusal that an error code means, or None if the code is unknown."""
    return _KINDS.get(code)


def kind_of_text(text: str, *, is_busy: bool = False) -> ErrorKind | None:
    """Return the kind of refusal that a text expresses, or None if it has no known phrase.

    `is_busy`: whether the status means "busy". The text of a busy service may also mention its
    content policy.
    """
    text = f"{text}\n{_JOINTS.sub(' ', text)}"
    if _CLOSED.search(text):
        owes = _WORDS[ErrorKind.BALANCE].search(text)
        return ErrorKind.BALANCE if owes else ErrorKind.AUTH
    kind = next((kind for kind, words in _WORDS.items() if words.search(text)), None)
    if kind is ErrorKind.MODERATED and is_busy and _WORDS[ErrorKind.RATE].search(text):
        return ErrorKind.RATE
    return ErrorKind.BALANCE if kind is None and _PLAN.search(text) else kind
