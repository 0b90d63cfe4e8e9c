#: description: Stormdrill. Fills the disk until a share of it is in use.
#: timeout_seconds: 60
#: parts: [deadman]
#: parameters:
#:   - name: Percent
#:     description: The share of the disk in use, 1 to 99, what was in use before included.
#:     pattern: '^[1-9][0-9]?$'
#:     length: 2
# shellcheck shell=dash
# disk-fill: one file fills the file system of the state folder until a share of it is in use.
# What was in use before counts. A reserve stays free, so that the way back can write what it must.

# The file would outlive a boot.
LASTING=yes

# measure_disk FOLDER: sets $in_use and $free in KiB, and $share in percent, as df counts: without root's own reserve.
measure_disk() {
  # shellcheck disable=SC2046
  set -- $(df -Pk "$1" | sed -n '2p')
  in_use=$3 free=$4
  share=$((in_use * 100 / (in_use + free)))
}

fault_check() {
  have fallocate || have dd || refuse no-fallocate "this host has neither fallocate nor dd"
  measure_disk "$(existing "$STATE")"
  [ "$share" -lt "$SSM_Percent" ] || refuse already-above "$share % is in use already"
  want=$(((in_use + free) * SSM_Percent / 100 - in_use))
  reserve=$(((in_use + free) / 100))
  [ "$reserve" -ge 16384 ] || reserve=16384
  [ $((free - want)) -ge "$reserve" ] || refuse no-reserve "$SSM_Percent % leaves less than $reserve KiB free"
  [ "$want" -gt 0 ] || refuse already-above "$share % is in use already"
  frozen="$want $in_use $free"
}

fault_apply() {
  # shellcheck disable=SC2086
  set -- $frozen
  want=$1
  saved="{\"used_kib\":$2,\"free_kib\":$3}"
  fallocate -l "${want}KiB" "$unit_dir/fill" 2>/dev/null ||
    dd if=/dev/zero of="$unit_dir/fill" bs=1024 count="$want" 2>/dev/null ||
    { problem=not-filled detail="could not write $want KiB" && return 1; }
}

fault_landed() {
  measure_disk "$unit_dir"
  problem=not-seen detail="$share % is in use"
  [ "$share" -ge $((SSM_Percent - 1)) ] || return 1
  evidence="{\"used_percent\":$share,\"free_kib\":$free}"
}

# fault_holds: our file has the blocks that it took. What others write and remove is their business.
fault_holds() {
  filled=0
  [ ! -f "$unit_dir/fill" ] || filled=$(du -k "$unit_dir/fill" | cut -f 1)
  problem=not-seen detail="${filled:-0} of $want KiB are still taken"
  [ "${filled:-0}" -ge $((want * 9 / 10)) ]
}

fault_undo() {
  # Whoever holds the file open, a backup or a scanner, would keep its blocks after its name is gone.
  [ ! -f "$unit_dir/fill" ] || [ -L "$unit_dir/fill" ] || : >"$unit_dir/fill"
  rm -f "$unit_dir/fill"
}

fault_gone() {
  [ ! -e "$unit_dir/fill" ]
}
