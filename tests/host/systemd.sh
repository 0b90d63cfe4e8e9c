# shellcheck shell=sh
# What becomes process 1 of a host with systemd: the machine's own systemd, in namespaces of its own, with no units but
# a target, what transient units need, and those that a trial writes. It sees none of the machine's units.
set -eu
mount -t tmpfs -o size=64m,mode=755 ring /run
mount -t sysfs sysfs /sys
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /run/systemd /run/ring/units /run/ring/none
# What anybody writes to /etc lands in a folder that can be listed.
mkdir /run/etc /run/etc.work
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/etc.work ring /etc
rm -rf /etc/systemd/system /etc/tmpfiles.d
mkdir -p /etc/systemd/system /etc/tmpfiles.d
mount --bind /run/ring/units /lib/systemd/system
mount --bind /run/ring/none /lib/systemd/system-generators
mkdir -p /var/lib/stormdrill
mount -t tmpfs -o size=200m,mode=700 ring /var/lib/stormdrill
# Devices of its own: systemd must not touch the machine's console.
mkdir -p /run/ring/dev/shm /run/ring/dev/pts
for node in null zero full random urandom loop-control loop0 loop1 loop2 loop3 loop4 loop5 loop6 loop7; do
  [ -e "/dev/$node" ] || continue
  touch "/run/ring/dev/$node"
  mount --bind "/dev/$node" "/run/ring/dev/$node"
done
touch /run/ring/dev/console
mount --rbind /run/ring/dev /dev
# The memory of a small host: a share of it is a share of this.
sed -e 's/^MemTotal: .*/MemTotal: 262144 kB/' -e 's/^MemAvailable: .*/MemAvailable: 229376 kB/' /proc/meminfo >/run/ring/meminfo
mount --bind /run/ring/meminfo /proc/meminfo
ip link set lo up
ip netns add peer
ip link add eth0 type veth peer name eth0 netns peer
ip addr add 10.77.0.1/24 dev eth0
ip link set eth0 up
ip -n peer addr add 10.77.0.2/24 dev eth0
ip -n peer link set eth0 up
ip -n peer link set lo up
iptables -A INPUT -s 192.0.2.1 -j DROP
ip6tables -A INPUT -s 2001:db8::1 -j DROP
for target in sysinit basic shutdown umount final sockets timers paths multi-user; do
  printf '[Unit]\nDescription=%s\nDefaultDependencies=no\n' "$target" >"/lib/systemd/system/$target.target"
done
cat >/lib/systemd/system/ring.service <<'UNIT'
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/touch /run/ring/up
UNIT
printf '[Unit]\nDefaultDependencies=no\nWants=ring.service sysinit.target basic.target sockets.target timers.target\n' >/lib/systemd/system/ring.target
echo ready
container=ring
export container
exec /lib/systemd/systemd --system --unit=ring.target --log-target=null --show-status=no
