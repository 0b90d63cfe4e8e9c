# shellcheck shell=dash
# Volumes: where file systems are mounted, and the file of a unit that fills one.

# mounted_at FOLDER: sets $type and $options of what is mounted there; fails when nothing is. The last mount is the one
# that is seen.
mounted_at() {
  type='' options=''
  while read -r _ where kind words _; do
    [ "$where" != "$1" ] || type=$kind options=$words
  done </proc/self/mounts
  [ -n "$type" ]
}

# filler_on VOLUME UNIT: the file of that unit there.
filler_on() {
  printf '%s/.stormdrill-fill-%s\n' "${1%/}" "$2"
}

# remove_filler FILE: its blocks first. Whoever holds it open, a backup or a scanner, would keep them after its name is gone.
remove_filler() {
  [ ! -f "$1" ] || [ -L "$1" ] || : >"$1"
  rm -f "$1"
}

# fillers_by_name: the files of $unit on whatever is mounted, without its folder to say where.
fillers_by_name() {
  while read -r _ where kind _; do
    case $kind in
      # To look there may take for ever.
      nfs* | cifs | smb* | fuse* | 9p | ceph | glusterfs | lustre | afs | autofs | proc | sysfs | cgroup*) continue ;;
    esac
    file=$(filler_on "$where" "$unit")
    [ ! -f "$file" ] || printf '%s\n' "$file"
  done </proc/self/mounts | sort -u
}
