# shellcheck shell=sh disable=SC2015
# The tests in the guest of tests/debian-guest, a service that is started after all others: test.sh SECONDS

# ok NAME COMMAND...
ok()
{
	name=$1
	shift
	if "$@" >&2; then
		echo "ok $name"
	else
		echo "not ok $name"
	fi
}

show()
{
	sed 's/^/# /'
}

cd /root || exit 1

# ---- from the initramfs on ----
nestrace record -q --boot -o boot.dat true
nestrace report boot.dat > boot
grep '^#' boot | show
ok "boot: there are hits" test "$(grep -c ' <- ' boot)" -gt 1000
ok "boot: tasks of the initramfs made some" grep -qE '^ *(run-init|init|udevadm|\(udev-worker\)|systemd-udevd|modprobe|mount|fsck.*|resume|sh)-[0-9]' boot
first=$(grep ' <- ' boot | head -n 1)
ok "boot: they begin before systemd has started" sh -c "! echo '$first' | grep -q systemd-1"
echo "# the first one: $first"
ok "boot: trace-cmd reads it" sh -c 'trace-cmd report -i boot.dat 2> /dev/null | grep -q do_sys_openat2'

# ---- the service ----
ok "service: it is off" sh -c '! systemctl is-enabled -q nestrace-flight'
# the default of rings is small for all functions
sed -i 's/^OPTIONS=.*/OPTIONS=--warn -b 4M/' /etc/nestrace/flight.conf
ok "service: it starts, and says when it records" systemctl enable --now nestrace-flight
ok "service: it is active" systemctl is-active -q nestrace-flight
systemd-analyze security nestrace-flight --no-pager 2> /dev/null | tail -n 1 | show
exposure=$(systemd-analyze security nestrace-flight --no-pager 2> /dev/null | sed -n 's/.*level for.*: \([0-9]*\)\..*/\1/p')
ok "service: systemd-analyze security: exposure below 2" test "${exposure:-9}" -lt 2
file=$(nestrace snapshot)
ok "snapshot: it names a file" test -s "$file"
ok "snapshot: the file has hits" sh -c "nestrace report '$file' | grep -q ' <- '"
sleep 5
ok "service: it goes on" systemctl is-active -q nestrace-flight

# ---- a long time under load: what is used afterwards is what was used before ----
memory()
{
	sync
	echo 3 > /proc/sys/vm/drop_caches
	awk '/^(MemAvailable|SUnreclaim|VmallocUsed):/ { printf "%s %s  ", $1, $2 }' /proc/meminfo
	rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$(systemctl show -P MainPID nestrace-flight)/status")
	echo "recorder $rss disk $(du -sk /var/lib/nestrace | cut -f 1)"
}

value()
{
	echo "$1" | sed -n "s/.*$2:* \([0-9]*\).*/\1/p"
}

# a first round, so that all caches are full
find / -xdev -name '*.so' > /dev/null 2>&1
for _ in 1 2 3; do
	nestrace snapshot > /dev/null
	sleep 5
done
before=$(memory)
echo "# before: $before"
end=$(($(date +%s) + $1))
snapshots=0
while [ "$(date +%s)" -lt $end ]; do
	sh -c 'find /usr -xdev -type f | head -n 2000 | xargs cat > /dev/null; i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i + 1)); done'
	dd if=/dev/zero of=load bs=1M count=20 conv=fsync 2> /dev/null
	rm load
	sleep 10
	snapshots=$((snapshots + 1))
	[ $((snapshots % 10)) != 0 ] || { nestrace snapshot > /dev/null; sleep 5; echo "# $(memory)"; }
done
after=$(memory)
echo "# after:  $after"
ok "load: the recorder is the same process" test "$(systemctl show -P NRestarts nestrace-flight)" = 0
# in KiB
for what in MemAvailable SUnreclaim VmallocUsed recorder; do
	d=$(($(value "$after" $what) - $(value "$before" $what)))
	echo "# $what: $d KiB"
	ok "load: $what stays within 16 MiB" test "${d#-}" -lt 16384
done
ok "load: KEEP files at most" test "$(ls /var/lib/nestrace/*.dat | wc -l)" -le 10
systemctl stop nestrace-flight
ok "service: its end writes a file" sh -c 'ls -t /var/lib/nestrace/*.dat | head -n 1 | xargs nestrace report | grep -q " <- "'
journalctl -u nestrace-flight --no-pager -o cat 2> /dev/null | tail -n 5 | show
dmesg > /dev/ttyS0
echo "# verdict"
sync
