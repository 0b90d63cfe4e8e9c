# shellcheck shell=dash
# Startable: what a start of a unit needs is still there. What runs now may not start any more: its program may have been
# removed, its condition may hold no longer.

# check_startable UNIT: refuses unless what its start needs is there. $asked is about it.
check_startable() {
  # Before systemd 250 this cannot be asked.
  ! systemd-analyze condition "--unit=$1" 2>&1 | grep -Eqx '(Conditions|Asserts) failed\.' ||
    refuse not-startable "a condition of $1 does not hold any more"
  case $1 in
    *.service) ;;
    *) return 0 ;;
  esac
  # An instance that a socket made for one connection is nothing without that connection.
  for trigger in $(told TriggeredBy); do
    [ "$(systemctl show --property=Accept --value -- "$trigger" 2>/dev/null)" != yes ] ||
      refuse not-startable "$1 serves one connection of $trigger, which nobody can bring back"
  done
  # In a root of its own nothing can be looked up from here.
  [ -z "$(told RootDirectory)$(told RootImage)" ] || return 0
  told ExecStartPre | check_programs || refuse not-startable "a program that $1 starts with is gone"
  told ExecStart | check_programs || refuse not-startable "the program of $1 is gone"
  told EnvironmentFiles | check_files || refuse not-startable "an environment file of $1 is gone"
  case $(told WorkingDirectory) in
    /*) [ -d "$(told WorkingDirectory)" ] || refuse not-startable "the working directory of $1 is gone" ;;
  esac
  [ "$(told DynamicUser)" = yes ] || check_owner "$1"
}

# check_programs: every program in the lines that may not fail can be executed.
check_programs() {
  while IFS= read -r line; do
    case $line in
      *'ignore_errors=yes'*) continue ;;
      *'path=/'*) ;;
      *) continue ;;
    esac
    program=${line#*path=}
    [ -x "${program%% ;*}" ] || return 1
  done
}

# check_files: every file in the lines that must be there is there.
check_files() {
  while IFS= read -r line; do
    case $line in
      # A pattern may match nothing.
      /*[*?[]*) ;;
      /*' (ignore_errors=no)') [ -r "${line% (ignore_errors=no)}" ] || return 1 ;;
    esac
  done
}

check_owner() {
  [ -z "$(told User)" ] || id -- "$(told User)" >/dev/null 2>&1 || refuse not-startable "the user $(told User) of $1 is gone"
  [ -z "$(told Group)" ] || getent group "$(told Group)" >/dev/null 2>&1 ||
    refuse not-startable "the group $(told Group) of $1 is gone"
}
