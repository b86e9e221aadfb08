# A module of our own for a real plowshare and the loopback host of loopback.ts. Its address comes in STRATUS_LOOPBACK_HOST ("http://127.0.0.1:40123").
MODULE_LOOPBACK_REGEXP_URL='https\?://\(127\.0\.0\.1\|localhost\):[0-9]\+/'

MODULE_LOOPBACK_UPLOAD_OPTIONS="
AUTH,a,auth,a=USER:PASSWORD,Account at the host
FOLDER,,folder,s=FOLDER,Folder at the host"
MODULE_LOOPBACK_UPLOAD_REMOTE_SUPPORT=no
MODULE_LOOPBACK_DOWNLOAD_OPTIONS=""
MODULE_LOOPBACK_DOWNLOAD_RESUME=yes
MODULE_LOOPBACK_DOWNLOAD_FINAL_LINK_NEEDS_COOKIE=no
MODULE_LOOPBACK_DELETE_OPTIONS=""
MODULE_LOOPBACK_PROBE_OPTIONS=""
MODULE_LOOPBACK_LIST_OPTIONS=""
MODULE_LOOPBACK_LIST_HAS_SUBFOLDERS=no

# What the host says in its status: 404 dead, 403 wrong code, 413 too large, 429 busy.
loopback_code() {
  case $1 in
    2??) return 0 ;;
    401) return "$ERR_LOGIN_FAILED" ;;
    403) return "$ERR_LINK_NEED_PERMISSIONS" ;;
    404) return "$ERR_LINK_DEAD" ;;
    413) return "$ERR_SIZE_LIMIT_EXCEEDED" ;;
    429)
      echo 60
      return "$ERR_LINK_TEMP_UNAVAILABLE"
      ;;
    *) return "$ERR_FATAL" ;;
  esac
}

loopback_upload() {
  local -r FILE=$2 NAME=$3
  local ANSWER STATUS
  ANSWER=$(curl_with_log -T "$FILE" -H "X-Name: $NAME" -H "X-Folder: $FOLDER" -H "X-Account: $AUTH" -w '\n%{http_code}' "$STRATUS_LOOPBACK_HOST/upload") || return
  STATUS=${ANSWER##*$'\n'}
  loopback_code "$STATUS" || return
  # Three lines: link, delete link, code of the owner.
  echo "${ANSWER%$'\n'*}"
}

loopback_download() {
  local -r URL=$2
  local ANSWER
  ANSWER=$(curl -w '\n%{http_code}' "${URL/\/f\///about/}") || return
  loopback_code "${ANSWER##*$'\n'}" || return
  echo "${URL/\/f\///bytes/}"
  echo "${ANSWER%%$'\n'*}"
}

loopback_delete() {
  local STATUS
  STATUS=$(curl -X DELETE -o /dev/null -w '%{http_code}' "$2") || return
  loopback_code "$STATUS"
}

loopback_probe() {
  local -r WANTED=$3
  local ANSWER NAME SIZE CAPS=c
  ANSWER=$(curl -w '\n%{http_code}' "${2/\/f\///about/}") || return
  loopback_code "${ANSWER##*$'\n'}" || return
  NAME=${ANSWER%%$'\n'*}
  SIZE=$(sed -n 2p <<<"$ANSWER")
  if [[ $WANTED == *f* ]]; then
    echo "$NAME"
    CAPS+=f
  fi
  if [[ $WANTED == *s* ]]; then
    echo "$SIZE"
    CAPS+=s
  fi
  echo "$CAPS"
}

loopback_list() {
  local ANSWER
  ANSWER=$(curl -w '\n%{http_code}' "$1") || return
  loopback_code "${ANSWER##*$'\n'}" || return
  echo "${ANSWER%$'\n'*}"
}
