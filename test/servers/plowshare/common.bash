# What the stand-in commands share. They behave as the real ones were seen to behave (reference: docs/providers/plowshare.md, "What the commands do");
# none of plowshare's text is in here. A host is a directory; a module is a file that names it.
#
#   modules.d/<any>/config       "name | upload | download | delete | list | probe |" per line
#   modules.d/<any>/<name>.sh    sets HOST=<directory> and, as wanted: RESUME=yes LIMIT=<bytes> LOGIN=<user:password> REMOTE=yes ASYNC=yes CAPTCHA=yes NOCODE=yes
#   <HOST>/files/<id>            the bytes; <HOST>/meta/<id>: name, delete code, admin code, folder, one a line
#   <HOST>/faults/<verb>/<n>     what the next call does wrong; "always": every call
#   <root>/calls/                one file per call with its arguments, NUL between them; <root> is what modules.d/<any>/root says

LC_ALL=C
CONFIG_HOME=${XDG_CONFIG_HOME:-$HOME/.config}/plowshare
TAB=$'\t' NL=$'\n'
declare -A OPTION MODULE_FILE V
declare -a ARGS RETVALS

for registry in "$CONFIG_HOME"/modules.d/*/config; do
  [[ -f $registry ]] || continue
  folder=${registry%/config}
  [[ -f $folder/root ]] && read -r ROOT <"$folder/root"
  while IFS='|' read -r name _; do
    name=${name//[[:space:]]/}
    [[ -z $name || $name == \#* ]] && continue
    [[ -f $folder/$name.sh ]] && MODULE_FILE[$name]=$folder/$name.sh
  done <"$registry"
done

# One file per call: who tests can read what was asked and with which surroundings.
record() {
  [[ -n $ROOT && -d $ROOT/calls ]] || return 0
  printf '%s\0' "$COMMAND" "HOME=$HOME" "XDG_CONFIG_HOME=$XDG_CONFIG_HOME" "TMPDIR=$TMPDIR" "PWD=$PWD" "SECRETS=${AWS_SECRET_ACCESS_KEY:-}" "PLOWSHARE_CURL=${PLOWSHARE_CURL:-}" "$@" >"$ROOT/calls/$EPOCHREALTIME-$$"
}

# A sleep that a signal ends at once: bash hears it only between commands.
nap() {
  sleep "$1" &
  wait $!
}

note() {
  [[ ${OPTION[verbose]:-2} == 0 ]] && return 0
  if [[ -n ${OPTION[no-color]} ]]; then printf '%s\n' "$*" >&2; else printf '\033[1;33m%s\033[0m\n' "$*" >&2; fi
}

# Options of all commands: long name, "=" where it takes a value. Short ones after the colon.
KNOWN_ALL='modules version no-plowsharerc plowsharerc= no-color verbose=:v quiet:q interface=:i curlrc= no-curlrc'

# Splits the command line into OPTION and ARGS. Modules may know more: what neither knows ends in 15.
parse() {
  local word key short long value known="$KNOWN_ALL $KNOWN $MODULE_OPTIONS"
  while (($# > 0)); do
    word=$1
    shift
    case $word in
      --) ARGS+=("$@") && return 0 ;;
      --*=*) key=${word#--} value=${key#*=} key=${key%%=*} ;;
      --*) key=${word#--} value= ;;
      -[0-9v][0-4]) key=v value=${word:2} ;;
      -?) key=${word#-} value= ;;
      -*) key=${word:1:1} value=${word:2} ;;
      *) ARGS+=("$word") && continue ;;
    esac
    for long in $known; do
      short=${long#*:}
      [[ $short == "$long" ]] && short=
      long=${long%%:*}
      if [[ ${long%=} == "$key" || ($short == "$key" && -n $short) ]]; then
        if [[ $long == *= ]]; then
          if [[ $word != --*=* && -z $value ]]; then
            (($# > 0)) || exit 15
            value=$1
            shift
          fi
        else
          value=1
        fi
        OPTION[${long%=}]=$value
        continue 2
      fi
    done
    note "$COMMAND: no such option: $word"
    exit 15
  done
}

# The file of settings: the command line comes before [Plowup], and that before [General]; for the options of modules too ("name/option = value").
configure() {
  local file=$CONFIG_HOME/plowshare.conf line section=none key value pass wanted
  [[ -n ${OPTION[no-plowsharerc]} ]] && return 0
  if [[ -n ${OPTION[plowsharerc]} ]]; then file=${OPTION[plowsharerc]}; fi
  [[ -r $file ]] || return 0
  for wanted in "${COMMAND,,}" general; do
    section=none
    while IFS= read -r line || [[ -n $line ]]; do
      [[ $line =~ ^[[:space:]]*(#|$) ]] && continue
      if [[ $line =~ ^\[(.*)\]$ ]]; then
        section=${BASH_REMATCH[1],,}
        continue
      fi
      [[ $section == "$wanted" && $line == *=* ]] || continue
      key=${line%%=*} value=${line#*=}
      key=${key//[[:space:]]/}
      value=${value#"${value%%[![:space:]]*}"} value=${value%"${value##*[![:space:]]}"}
      [[ ${#value} -gt 1 && $value == \"*\" ]] && value=${value:1:${#value}-2}
      [[ -n $value && -z ${OPTION[$key]+set} ]] && OPTION[$key]=$value
    done <"$file"
  done
}

start() {
  record "$@"
  parse "$@"
  [[ -n ${OPTION[quiet]} ]] && OPTION[verbose]=0
  if [[ -n ${OPTION[version]} ]]; then echo STAND-IN && exit 0; fi
  if [[ -n ${OPTION[modules]} ]]; then
    for name in "${!MODULE_FILE[@]}"; do echo "$name"; done | sort
    exit 0
  fi
  configure
  # The user's own settings of curl reach every transfer, unless they are switched off.
  if [[ -n ${OPTION[curlrc]} ]]; then CURLRC=${OPTION[curlrc]}; elif [[ -z ${OPTION[no-curlrc]} && -f $HOME/.curlrc ]]; then CURLRC=$HOME/.curlrc; fi
  [[ -n $CURLRC && -n $ROOT && -d $ROOT/calls ]] && cp "$CURLRC" "$ROOT/curlrc-seen"
  [[ -n $CURLRC ]] && grep -q '^proxy' "$CURLRC" 2>/dev/null && exit 3
  [[ -n ${OPTION[printf]+set} ]] && check_format "${OPTION[printf]}"
  return 0
}

check_format() {
  local rest=$1
  while [[ $rest == *%* ]]; do
    rest=${rest#*%}
    [[ -n $rest && $TOKENS == *"${rest:0:1}"* ]] || { note "no such sequence: %${rest:0:1}"; exit 15; }
    rest=${rest:1}
  done
}

json() {
  local text=${1//\\/\\\\}
  text=${text//\//\\/}
  JSON=${text//\"/\\\"}
}

# Prints V by a template.
show() {
  local rest=$1 out='' token
  while [[ $rest == *%* ]]; do
    out+=${rest%%\%*}
    rest=${rest#*%}
    token=${rest:0:1}
    rest=${rest:1}
    case $token in
      n) out+=$NL ;; t) out+=$TAB ;; %) out+=% ;;
      *) out+=${V[$token]} ;;
    esac
  done
  printf '%s' "$out$rest"
}

# "http://<module>.host.invalid/..." belongs to a module; sets MODULE, HOST and what its file says.
module_of() {
  MODULE= HOST= RESUME= LIMIT= LOGIN= REMOTE= ASYNC= CAPTCHA= NOCODE= SUBFOLDERS=yes
  [[ $1 =~ ^https?://([a-z0-9_]+)\.host\.invalid/ ]] && [[ -n ${MODULE_FILE[${BASH_REMATCH[1]}]} ]] || return 1
  MODULE=${BASH_REMATCH[1]}
  source "${MODULE_FILE[$MODULE]}"
}

# What this call is told to do wrong: FAULT and its words in WORDS. A rename decides which of two calls takes it.
fault() {
  FAULT= WORDS=()
  local dir=$HOST/faults/$1 file
  [[ -d $dir ]] || return 0
  for file in "$dir"/[0-9]*; do
    [[ -f $file ]] && mv "$file" "$HOST/taken/$1-${file##*/}-$$" 2>/dev/null || continue
    read -r -a WORDS <"$HOST/taken/$1-${file##*/}-$$"
    FAULT=${WORDS[0]}
    break
  done
  if [[ -z $FAULT && -f $dir/always ]]; then read -r -a WORDS <"$dir/always" && FAULT=${WORDS[0]}; fi
  case $FAULT in
    hang) nap 100000 ;;
    stubborn) trap '' TERM && while :; do sleep 1; done ;;
    orphaned) (sleep 100000) & exit 1 ;;
    slow) nap "${WORDS[1]}" ;;
    leak) printf 'login as %s failed, see http://%s.host.invalid/d/secret\n' "${OPTION[$MODULE/a]}" "$MODULE" >&2; exit "${WORDS[1]}" ;;
    chatter) printf 'noise on stdout\n#DEL http://elsewhere.invalid/x\nhttp://elsewhere.invalid/y\n' ;;
  esac
  return 0
}

# Repeats a step as the real ones do: codes in $1 up to -r times (then 6), 10 after a wait without an end unless there is -t (then 5).
persist() {
  local retried=" $1 " tries=${OPTION[max-retries]:-$2} waited=0 pause code
  shift 2
  while :; do
    WAIT=60
    "$@"
    code=$?
    if ((code == 10)); then
      pause=$WAIT
      waited=$((waited + pause))
      [[ -n ${OPTION[timeout]} ]] && ((waited > OPTION[timeout])) && return 5
      note "temporarily unavailable, waiting $pause seconds"
      nap "$pause"
    elif [[ $retried == *" $code "* ]]; then
      if ((tries-- <= 0)); then
        [[ ${OPTION[max-retries]} == 0 || ($COMMAND == plowup && -z ${OPTION[max-retries]}) ]] || return 6
        # Nobody has told plowdown of a network that fails inside a module when it may not try again.
        [[ $COMMAND == plowdown && $code == 3 ]] && return 1
        return $code
      fi
      note 'trying again'
    else
      return $code
    fi
  done
}

# One login a run, one for all runs, or one for each file. The store of sessions is a file per module.
login() {
  [[ -n $LOGIN ]] || return 0
  local given=${OPTION[auth]:-${OPTION[$MODULE/a]:-${OPTION[$MODULE/auth]}}} kept=$CONFIG_HOME/storage/$MODULE.txt
  [[ $given == "$LOGIN" ]] || return 4
  case ${OPTION[cache]:-session} in
    shared) [[ -f $kept ]] && return 0 ;;
    session) [[ ${SESSION[$MODULE]} == yes ]] && return 0 ;;
  esac
  printf 'x' >>"$HOST/logins"
  SESSION[$MODULE]=yes
  if [[ ${OPTION[cache]} == shared ]]; then mkdir -p "$CONFIG_HOME/storage" && printf 'session\n' >"$kept"; fi
  return 0
}
declare -A SESSION

# A transfer of $1 bytes at --max-rate takes its time.
throttle() {
  local rate=${OPTION[max-rate]}
  [[ -n $rate ]] || return 0
  case $rate in *[kK]) rate=$((${rate%?} * 1000)) ;; *[mM]) rate=$((${rate%?} * 1000000)) ;; esac
  local ms=$(($1 * 1000 / rate))
  nap "$((ms / 1000)).$(printf '%03d' $((ms % 1000)))"
}

size_of() {
  SIZE=$(stat -c %s -- "$1")
}

finish() {
  ((${#RETVALS[@]} == 0)) && exit 0
  ((${#RETVALS[@]} == 1)) && exit "${RETVALS[0]}"
  local code
  for code in "${RETVALS[@]}"; do ((code != 0)) && exit $((100 + code)); done
  exit 0
}
trap 'kill $(jobs -p) 2>/dev/null; exit 1' TERM INT
