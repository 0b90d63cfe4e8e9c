#: description: Stormdrill. Fills the disk until a share of it is in use.
#: timeout_seconds: 60
#: parts: [deadman, volumes]
#: parameters:
#:   - name: Percent
#:     description: The share of the disk in use, 1 to 99, what was in use before included.
#:     pattern: '^[1-9][0-9]?$'
#:     length: 2
#:   - name: Volume
#:     description: Where the file system is mounted that is filled, or - for the one that /var/lib/stormdrill is on.
#:     pattern: '^(-|/|(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}){1,8})$'
#:     length: 255
#:     default: '-'
# shellcheck shell=dash
# disk-fill: one file fills a file system until a share of it is in use: that of the state folder, or one by its mount point.
# What was in use before counts. A reserve stays free, so that the way back can write what it must.

# The file would outlive a boot.
LASTING=yes

# filler: the file that fills it. On a volume of somebody else's it carries the unit's name.
filler() {
  if [ "$SSM_Volume" = - ]; then
    printf '%s\n' "$unit_dir/fill"
  else
    filler_on "$SSM_Volume" "$unit"
  fi
}

# outside: what a boot clears besides the unit's folder.
outside() {
  [ "$SSM_Volume" = - ] || filler
}

# measure_disk FOLDER: sets $in_use and $free in KiB, and $share in percent, as df counts: without root's own reserve; and
# where that file system is mounted.
measure_disk() {
  # shellcheck disable=SC2046
  set -- $(df -Pk "$1" | sed -n '2p')
  in_use=$3 free=$4 mounted=$6
  share=$((in_use * 100 / (in_use + free)))
}

# check_volume: refuses unless a disk of this host's own is mounted there, and can be written.
check_volume() {
  mounted_at "$SSM_Volume" || refuse no-volume "nothing is mounted at $SSM_Volume"
  case $type in
    nfs* | cifs | smb* | fuse* | 9p | ceph | glusterfs | lustre | virtiofs | afs) refuse shared-volume "$SSM_Volume is $type, which other hosts may use as well" ;;
    proc | sysfs | cgroup* | devtmpfs | devpts | mqueue | hugetlbfs | *pseudo* | securityfs | debugfs | tracefs | bpf | autofs | efivarfs | squashfs | iso9660)
      refuse no-volume "$SSM_Volume is $type, and no disk"
      ;;
  esac
  case ",$options," in
    *,ro,*) refuse no-volume "$SSM_Volume is read-only" ;;
  esac
  # A name that is taken is somebody's.
  { [ ! -e "$(filler)" ] && [ ! -L "$(filler)" ]; } || refuse leftover "$(filler) is there already"
}

fault_check() {
  have fallocate || have dd || refuse no-fallocate "this host has neither fallocate nor dd"
  if [ "$SSM_Volume" = - ]; then
    measure_disk "$(existing "$STATE")"
  else
    check_volume
    measure_disk "$SSM_Volume"
  fi
  [ "$share" -lt "$SSM_Percent" ] || refuse already-above "$share % of $mounted is in use already"
  want=$(((in_use + free) * SSM_Percent / 100 - in_use))
  reserve=$(((in_use + free) / 100))
  [ "$reserve" -ge 16384 ] || reserve=16384
  [ $((free - want)) -ge "$reserve" ] || refuse no-reserve "$SSM_Percent % of $mounted leaves less than $reserve KiB free"
  [ "$want" -gt 0 ] || refuse already-above "$share % of $mounted is in use already"
  frozen="$want $in_use $free"
}

fault_apply() {
  # shellcheck disable=SC2086
  set -- $frozen
  want=$1
  saved="{\"used_kib\":$2,\"free_kib\":$3}"
  problem=not-filled detail="could not write $want KiB"
  file=$(filler)
  # Made here and by nobody else, and not what a link leads to.
  (set -C && : >"$file") 2>/dev/null || return 1
  fallocate -l "${want}KiB" "$file" 2>/dev/null || dd if=/dev/zero of="$file" bs=1024 count="$want" 2>/dev/null
}

fault_landed() {
  measure_disk "$(dirname "$(filler)")"
  problem=not-seen detail="$share % of $mounted is in use"
  [ "$share" -ge $((SSM_Percent - 1)) ] || return 1
  evidence="{\"file_system\":\"$(clean "$mounted")\",\"used_percent\":$share,\"free_kib\":$free}"
}

# fault_holds: our file has the blocks that it took. What others write and remove is their business.
fault_holds() {
  filled=0
  [ ! -f "$(filler)" ] || filled=$(du -k "$(filler)" | cut -f 1)
  problem=not-seen detail="${filled:-0} of $want KiB are still taken"
  [ "${filled:-0}" -ge $((want * 9 / 10)) ]
}

fault_undo() {
  remove_filler "$(filler)"
}

# fault_gone: on a volume that is not mounted any more, our file cannot be seen to be gone.
fault_gone() {
  problem="nothing is mounted at $SSM_Volume any more, and our file was on it"
  [ "$SSM_Volume" = - ] || mounted_at "$SSM_Volume" || return 1
  problem="$(filler) is still there"
  [ ! -e "$(filler)" ]
}
