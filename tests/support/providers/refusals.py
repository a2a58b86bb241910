"""Refusals in the words of providers, by what they mean: (provider, status, answer)."""

from __future__ import annotations

from bot.errors import ErrorKind

Refusals = tuple[tuple[str, int, object], ...]

_ARK = "The request failed because the input text may contain sensitive information. Request ID: 0"

POLICY: Refusals = (
    ("Seedance", 400, {"error": {"code": "InputTextSensitiveContentDetected", "message": _ARK}}),
    ("Seedance's film", 400, {"error": {"code": "OutputVideoSensitiveContentDetected"}}),
    ("Ark's risk detection", 400, {"error": {"code": "InputTextRiskDetection", "message": "no"}}),
    ("Ark's real persons", 400, {"error": "The input image may contain real person."}),
    ("Jimeng", 400, {"code": 50412, "message": "Text Risk Not Pass"}),
    ("MiniMax", 400, {"base_resp": {"status_code": 1026, "status_msg": "input new_sensitive"}}),
    ("MiniMax's film", 422, {"error": {"code": "1027", "message": "fail"}}),
    ("Kling", 400, {"code": 1301, "message": "Failure to pass the risk control system"}),
    ("Kling by LiteLLM", 400, {"error": {"message": "KlingException: Trigger content security"}}),
    ("DashScope", 400, {"code": "DataInspectionFailed", "message": "Input data may be bad"}),
    ("DashScope's older word", 400, {"code": "data_inspection_failed"}),
    ("Qwen", 400, {"message": "Input data may contain inappropriate content."}),
    ("Wan", 400, {"code": "IPInfringementSuspect", "message": "suspected"}),
    (
        "Zhipu",
        400,
        {"error": {"code": "1301", "message": "系统检测到输入内容可能包含不安全或敏感内容"}},
    ),
    ("Hunyuan", 400, {"Response": {"Error": {"Code": "OperationDenied.TextIllegalDetected"}}}),
    ("Baidu", 403, {"code": "video_genration_prompt_unsafe", "message": "unsafe_request"}),
    ("Vidu", 403, {"code": 403, "reason": "AuditSubmitIllegal"}),
    ("Novita", 400, {"reason": "ILLEGAL_PROMPT", "message": "no"}),
    ("PixVerse", 400, {"ErrCode": 500063, "ErrMsg": "no"}),
    ("Google", 400, {"error": {"message": "blocked: PROHIBITED_CONTENT"}}),
    ("Google's RAI", 400, {"error": "The prompt violates Google's Responsible AI practices"}),
    ("Azure", 400, {"error": {"code": "content_filter", "innererror": {"code": "x"}}}),
    (
        "Azure's inner error",
        400,
        {"error": {"innererror": {"code": "ResponsibleAIPolicyViolation"}}},
    ),
    ("OpenAI", 400, {"error": {"code": "moderation_blocked"}}),
    ("OpenAI's sentinel", 400, {"error": {"code": "sentinel_block", "message": "no"}}),
    ("OpenAI on likeness", 400, {"error": "similarity to third-party content"}),
    ("xAI", 403, {"code": "no", "error": "Content violates usage guidelines."}),
    ("OpenRouter", 403, {"error": {"code": 403, "message": "Your input was flagged"}}),
    ("LiteLLM", 400, {"error": {"message": "litellm.ContentPolicyViolationError: no"}}),
    ("fal", 422, {"detail": [{"type": "content_policy_violation", "msg": "no"}]}),
    ("Replicate", 422, {"detail": "The input or output was flagged as sensitive. (E005)"}),
    ("Runway", 400, {"error": "no", "failureCode": "SAFETY.INPUT.TEXT"}),
    ("Luma", 400, {"detail": "Prompt not allowed because advanced checks failed"}),
    ("Bedrock", 400, {"message": "This request has been blocked by our content filters."}),
    ("new-api", 400, {"error": {"code": "sensitive_words_detected", "type": "new_api_error"}}),
    ("one-api in Chinese", 400, {"error": {"message": "您的提示词包含敏感词 请修改后重试"}}),
    ("a gateway in Chinese", 403, {"message": "内容违规 已被拦截"}),
    ("traditional Chinese", 403, {"message": "提示詞含有敏感內容"}),
    ("an audit in Chinese", 400, {"msg": "文本审核不通过"}),
    ("a reader in Japanese", 400, {"error": "不適切な表現が含まれています"}),
    (
        "escapes in a message",
        400,
        {"error": {"message": '{"msg": "\\u5185\\u5bb9\\u8fdd\\u89c4"}'}},
    ),
    ("plain text", 403, "This prompt violates our terms of service"),
    ("a legal reason", 451, {"message": "no"}),
)

MONEY: Refusals = (
    ("new-api", 403, {"error": {"code": "insufficient_user_quota", "type": "new_api_error"}}),
    ("new-api's prepayment", 403, {"error": {"message": "预扣费额度失败, 用户剩余额度: 0"}}),
    ("one-api's token", 401, {"error": {"message": "该令牌额度已用尽"}}),
    ("a gateway in Chinese", 403, {"message": "账户余额不足 请充值"}),
    ("MiniMax", 400, {"base_resp": {"status_code": 1008, "status_msg": "x"}}),
    ("Kling", 429, {"code": 1102, "message": "Resource pack depleted or expired"}),
    ("Zhipu", 429, {"error": {"code": "1113", "message": "您的账户已欠费"}}),
    ("DashScope", 400, {"code": "Arrearage", "message": "Access denied, in good standing?"}),
    ("Ark", 403, {"error": {"code": "AccountOverdueError", "message": "overdue balance"}}),
    ("fal", 403, {"detail": "User is locked. Reason: Exhausted balance. Top up your balance."}),
    ("xAI", 403, {"error": "Your team doesn't have any credits yet."}),
    ("Runway", 400, {"error": "You do not have enough credits to run this task."}),
    ("Vidu", 403, {"reason": "CreditInsufficient"}),
    ("Novita", 400, {"reason": "BILLING_BALANCE_NOT_ENOUGH"}),
    ("LTX", 403, {"error": {"type": "insufficient_funds_error"}}),
    ("LiteLLM", 400, {"error": {"message": "Budget has been exceeded! Current cost: 1"}}),
    ("OpenRouter", 403, {"error": {"message": "Key limit exceeded (total limit)"}}),
    ("Moonshot", 429, {"error": {"message": "Your account is suspended, check your billing"}}),
    ("a problem document", 403, {"title": "You do not have enough credit"}),
    ("plain text", 403, "insufficient balance"),
)

KEY: Refusals = (
    ("OpenAI", 403, {"error": {"message": "Project x does not have access to model y"}}),
    ("Google", 403, {"error": {"status": "PERMISSION_DENIED", "message": "x"}}),
    ("Google's bad key", 400, {"error": {"message": "API key not valid. Please pass a valid one"}}),
    ("DashScope", 400, {"code": "InvalidApiKey", "message": "Invalid API-key provided."}),
    ("MiniMax", 400, {"base_resp": {"status_code": 2049, "status_msg": "invalid api key"}}),
    ("Novita", 403, {"reason": "INVALID_API_KEY"}),
    ("new-api", 403, {"error": {"message": "该令牌无权使用模型 sora-2"}}),
    ("a closed account", 403, {"error": "Your account was suspended: it violates our policies"}),
    ("a gateway", 403, {"message": "Permission denied"}),
)

OVERLOAD: Refusals = (
    ("Ark", 400, {"error": {"code": "ServerOverloaded"}}),
    ("DashScope", 403, {"code": "Throttling.RateQuota", "message": "x"}),
    ("MiniMax", 400, {"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}),
    ("Kling", 400, {"code": 1303, "message": "x"}),
    ("Google", 403, {"error": {"errors": [{"reason": "rateLimitExceeded"}]}}),
    ("Baidu", 403, {"code": "video_genration_concurrency_exceeded"}),
    ("a gateway in Chinese", 403, {"message": "当前分组上游负载已饱和"}),
)

SETUP: Refusals = (
    ("OpenAI", 403, {"error": {"code": "unsupported_country_region_territory"}}),
    ("new-api", 403, {"error": {"message": "当前分组 default 下对于模型 sora-2 无可用渠道"}}),
    ("DashScope", 403, {"code": "Model.AccessDenied", "message": "x"}),
    ("Cloudflare", 403, "error code: 1020"),
)

UNKNOWN: Refusals = (
    ("nothing", 403, None),
    ("an empty object", 403, {}),
    ("a word", 403, {"error": "Forbidden"}),
    ("a page", 403, "<html><title>403 Forbidden</title></html>"),
    ("a riddle", 403, {"error": {"code": "E_4711", "message": "request declined"}}),
)

BY_KIND = {
    ErrorKind.MODERATED: POLICY,
    ErrorKind.BALANCE: MONEY,
    ErrorKind.AUTH: KEY,
    ErrorKind.RATE: OVERLOAD,
    ErrorKind.SETUP: SETUP,
    ErrorKind.UNEXPLAINED: UNKNOWN,
}

IN_A_SUCCESS: tuple[tuple[str, object, ErrorKind], ...] = (
    (
        "MiniMax",
        {"task_id": "", "base_resp": {"status_code": 1026, "status_msg": "new_sensitive"}},
        ErrorKind.MODERATED,
    ),
    ("Kling", {"code": 1301, "message": "risk control", "data": None}, ErrorKind.MODERATED),
    (
        "new-api",
        {"code": "insufficient_user_quota", "message": "x", "data": None},
        ErrorKind.BALANCE,
    ),
    ("PixVerse", {"ErrCode": 0, "error": "余额不足"}, ErrorKind.BALANCE),
    ("a gateway", {"error": {"message": "Invalid API key"}}, ErrorKind.AUTH),
)

IN_A_SUCCESS_UNCLEAR: tuple[tuple[str, object], ...] = (
    ("a success", {"code": 0, "message": "success", "data": None}),
    ("a riddle", {"code": 4711, "message": "no"}),
    ("a queue", {"error": {"message": "server busy, request queued"}}),
    ("no error", {"message": "moderation passed"}),
)
