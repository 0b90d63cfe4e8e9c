#!/bin/bash
# Builds a bootable Debian with systemd and netem, once: an image and an initrd of six modules, which boots in half the
# time of the distribution's own.
#
# usage: build.sh FOLDER     leaves FOLDER/root.img, FOLDER/initrd and FOLDER/vmlinuz
set -euo pipefail
folder=$1
kernel=$(find /boot -name 'vmlinuz-*-cloud-amd64' | sort -V | tail -n 1)
version=${kernel#/boot/vmlinuz-}
work=$(mktemp -d "$folder/build.XXXXXX")
trap 'rm -rf "$work"' EXIT

mmdebstrap --quiet --variant=minbase \
  --include=systemd,systemd-sysv,dbus,iproute2,iptables,stress-ng,iputils-ping,kmod bookworm "$work/root.tar"
mkdir -p "$work/root" "$work/initrd"
tar -C "$work/root" -xf "$work/root.tar"
# Only now: /lib of the distribution is a link.
mkdir -p "$work/root/lib/modules"
cp -r "/lib/modules/$version" "$work/root/lib/modules/"

printf '/dev/vda / ext4 defaults 0 1\n' >"$work/root/etc/fstab"
cat >"$work/root/etc/systemd/system/ring.service" <<'UNIT'
[Unit]
Description=What the host ring does in here
After=multi-user.target
[Service]
ExecStart=/bin/bash -c 'mkdir -p /opt/ring && tar -xf /dev/vdb -C /opt/ring && exec /bin/bash /opt/ring/rounds.sh'
StandardError=tty
TTYPath=/dev/ttyS0
UNIT
cat >"$work/root/etc/systemd/system/orders.service" <<'UNIT'
[Service]
ExecStart=/usr/bin/sleep infinity
UNIT
mkdir -p "$work/root/etc/systemd/system/multi-user.target.wants"
ln -s /etc/systemd/system/ring.service "$work/root/etc/systemd/system/multi-user.target.wants/ring.service"
# What a machine of one minute can do without.
for unit in getty.target systemd-logind.service systemd-random-seed.service systemd-update-utmp.service \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
  systemd-pstore.service modprobe@drm.service modprobe@efi_pstore.service modprobe@fuse.service modprobe@loop.service \
  modprobe@dm_mod.service modprobe@configfs.service sys-kernel-debug.mount sys-kernel-tracing.mount \
  dev-mqueue.mount dev-hugepages.mount systemd-sysusers.service systemd-journal-flush.service; do
  ln -sf /dev/null "$work/root/etc/systemd/system/$unit"
done
mke2fs -q -t ext4 -m 0 -d "$work/root" "$work/root.img" 1000M

cp "$(command -v busybox)" "$work/initrd/busybox"
mkdir "$work/initrd/root" "$work/initrd/dev"
{
  printf '#!/busybox sh\n/busybox mount -t devtmpfs dev /dev\n'
  for module in virtio_pci virtio_blk; do
    modprobe -S "$version" --show-depends "$module"
  done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
    cp "$file" "$work/initrd/"
    printf '/busybox insmod /%s\n' "${file##*/}"
  done
  printf '/busybox mount -t ext4 /dev/vda /root\n/busybox umount /dev\nexec /busybox switch_root /root /sbin/init\n'
} >"$work/initrd/init"
chmod 755 "$work/initrd/init"
(cd "$work/initrd" && find . | busybox cpio -o -H newc 2>/dev/null) >"$work/initrd.cpio"

mv "$work/initrd.cpio" "$folder/initrd"
cp "$kernel" "$folder/vmlinuz"
# The image last: it stands for all of it.
mv "$work/root.img" "$folder/root.img"
