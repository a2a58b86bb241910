#!/usr/bin/env bash
# Every flow of the API: URL=http://127.0.0.1:8080 TOKEN=... docs/flows.sh voice.ogg out.mp4
set -euo pipefail
# WEBSOCAT: any WebSocket client that sends each line of its input and prints what it receives.
read -ra websocat <<<"${WEBSOCAT:-websocat -n}"
command -v "${websocat[0]}" >/dev/null || { echo "${websocat[0]} is missing: install it, or name another in WEBSOCAT" >&2; exit 1; }
ask() { curl --silent --show-error --header "Authorization: Bearer $TOKEN" "$@"; }
status() { ask --output /dev/null --write-out '%{http_code}\n' "$@"; }

# Order: a script and, optionally, audio. The answer arrives at once: {"jobId": "..."}
ordered=$(ask "$URL/api/generate?renderVersion=v3" --header "Idempotency-Key: $RANDOM$RANDOM" \
    --form scriptOrQuestion='Explain how rainbows form' --form audioBuffer=@"$1")
echo "$ordered"
job=$(grep -o '[0-9a-f]\{32\}' <<<"$ordered")

# Streaming: the current state, then each change, until the end.
sed -u '/completed\|failed/q' < <(printf '%s\n' \
    "{\"action\": \"authenticate\", \"token\": \"$TOKEN\"}" \
    "{\"action\": \"subscribe\", \"jobId\": \"$job\"}" | "${websocat[@]}" "${URL/http/ws}/ws")

# Polling reports the same.
ask "$URL/api/status?jobId=$job&renderVersion=v3"; echo

# Download: all of it, or a part.
ask --fail "$URL/api/download?jobId=$job&renderVersion=v3" --output "$2"
ask "$URL/api/download?jobId=$job" --range 0-31 --output /dev/null --write-out '%{http_code}\n'

# As JSON, with the audio in base64; and the list of your jobs.
ask "$URL/api/generate" --json @- <<<"{\"scriptOrQuestion\": \"A lighthouse in a storm\",
    \"audioBuffer\": \"$(base64 -w 0 "$1")\"}"; echo
ask "$URL/api/jobs"; echo

# A picture of the video. Then delete the video and its prompt.
status "$URL/api/poster?jobId=$job"
status --request DELETE "$URL/api/jobs?jobId=$job"

# With a voice, the bot speaks a text: the answer is an MP3 that audioBuffer accepts. 409: it has no voice.
status "$URL/api/narrate" --json '{"text": "A rainbow is sunlight, bent by rain."}'

# No other field is accepted, and the jobs of other clients do not exist.
ask "$URL/api/generate" --form scriptOrQuestion='A cat' --form model=sora-3; echo
status "$URL/api/generate?renderVersion=v2" --form scriptOrQuestion='A cat'
status "$URL/api/status?jobId=00000000000000000000000000000000"
