#!/usr/bin/env bash
# Every flow of the API: URL=http://127.0.0.1:8080 TOKEN=... docs/flows.sh voice.ogg out.mp4
set -euo pipefail
# Any WebSocket client that sends the lines it gets and prints what comes, in WEBSOCAT.
read -ra websocat <<<"${WEBSOCAT:-websocat -n}"
command -v "${websocat[0]}" >/dev/null || { echo "${websocat[0]} is missing: install it, or name another in WEBSOCAT" >&2; exit 1; }
ask() { curl --silent --show-error --header "Authorization: Bearer $TOKEN" "$@"; }
status() { ask --output /dev/null --write-out '%{http_code}\n' "$@"; }

# Order: a script and, if you like, audio. The answer comes at once: {"jobId": "..."}
ordered=$(ask "$URL/api/generate?renderVersion=v3" --header "Idempotency-Key: $RANDOM$RANDOM" \
    --form scriptOrQuestion='Explain how rainbows form' --form audioBuffer=@"$1")
echo "$ordered"
job=$(grep -o '[0-9a-f]\{32\}' <<<"$ordered")

# Streaming: the present state, then each change, until the end.
sed -u '/completed\|failed/q' < <(printf '%s\n' \
    "{\"action\": \"authenticate\", \"token\": \"$TOKEN\"}" \
    "{\"action\": \"subscribe\", \"jobId\": \"$job\"}" | "${websocat[@]}" "${URL/http/ws}/ws")

# Polling tells the same.
ask "$URL/api/status?jobId=$job&renderVersion=v3"; echo

# Download: all of it, or a part.
ask --fail "$URL/api/download?jobId=$job&renderVersion=v3" --output "$2"
ask "$URL/api/download?jobId=$job" --range 0-31 --output /dev/null --write-out '%{http_code}\n'

# As JSON, with the audio in base64; and the list of one's jobs.
ask "$URL/api/generate" --json @- <<<"{\"scriptOrQuestion\": \"A lighthouse in a storm\",
    \"audioBuffer\": \"$(base64 -w 0 "$1")\"}"; echo
ask "$URL/api/jobs"; echo

# Where the bot has a voice, it speaks a text: the answer is an MP3, good as audioBuffer; 409: it has none.
status "$URL/api/narrate" --json '{"text": "A rainbow is sunlight, bent by rain."}'

# Nothing else can be chosen, and nobody else's jobs exist.
ask "$URL/api/generate" --form scriptOrQuestion='A cat' --form model=sora-3; echo
status "$URL/api/generate?renderVersion=v2" --form scriptOrQuestion='A cat'
status "$URL/api/status?jobId=00000000000000000000000000000000"
