# The hits before a panic come out of the dead kernel's memory, joined with what the recorder had written.
# All functions are traced on both CPUs, with returns. The crash kernel reads /proc/vmcore; makedumpfile writes the
# compressed dump, which is read, too.
# kernels: 6.12 6.1 backports
# slow: 6.1 backports
# expect: panic
# image: yes
# programs: kexec trace-cmd makedumpfile
# memory: 1280
# cmdline: crashkernel=512M
setup insmod /tests/nt_oops.ko
setup insmod /tests/nt_calls.ko

mkdir -p crash/proc crash/sys crash/dev crash/bin crash/tmp
cp -r /bin/busybox /bin/nestrace /bin/trace-cmd /bin/makedumpfile /tests/lib.sh /lib /lib64 /usr crash/ 2> /dev/null
mv crash/busybox crash/nestrace crash/trace-cmd crash/makedumpfile crash/bin/
for applet in sh mount stty cat reboot sed grep head tail awk cp rm ls sort cmp tr wc dd df free; do ln -s busybox crash/bin/$applet; done

# a flight recorder, and a recorder that reads all the time: what it had not read is in its rings
nestrace record -q --flight --ret -b 2048 -o flight.dat sleep 1000 &
setup until_running
nestrace record -q -l nt_called -o reading.dat sleep 1000 &
setup within_a_minute sessions "2 running"
echo "task 1000" > /proc/nt_calls
# a recording is saved twice a second
sleep 2
echo "task 100" > /proc/nt_calls
cp -r flight.dat.nestrace reading.dat.nestrace crash/

cat > crash/init <<-'INIT'
	#!/bin/sh
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t devtmpfs devtmpfs /dev
	mount -t tmpfs tmpfs /tmp
	stty -F /dev/ttyS1 raw
	cd /
	{
		. /lib.sh
		tests=1
		ok "the recording of the flight is made" nestrace restore -q --vmcore /proc/vmcore -o /tmp/f.dat flight.dat
		nestrace report -t /tmp/f.dat > /tmp/f
		grep -v '^#' /tmp/f | tail -n 3 | while read -r line; do note "$line"; done
		grep '^#' /tmp/f > /tmp/foot
		show < /tmp/foot
		hits=$(grep -vc '^#' /tmp/f)
		ok "all functions: there are many hits" test "$hits" -gt 10000
		ok "the call that led to the panic is there" grep -q ' nt_oops_now <- ' /tmp/f
		ok "panic() is there, behind it" awk '/ nt_oops_now <- / { led = NR } / (v|)panic <- / { if (led && NR > led) found = 1 } END { exit !found }' /tmp/f
		ok "the last calls are those of a CPU that is stopped or starts the crash kernel" grep -q -E ' (__crash_kexec|crash_kexec|machine_crash_shutdown|native_machine_crash_shutdown|crash_save_cpu|crash_setup_regs|machine_kexec|kdump_nmi_callback|kdump_nmi_shootdown_cpus|nmi_shootdown_cpus) <- ' /tmp/f
		ok "no hit is out of order" awk '!/^#/ && match($0, / [0-9]+\.[0-9]+: /) { t = substr($0, RSTART + 1, RLENGTH - 3) + 0; if (t < last) exit 1; last = t }' /tmp/f
		is "the counters add up" "$(adds_up /tmp/f)" yes
		ok "both CPUs have hits" sh -c 'grep -q "\[000\]" /tmp/f && grep -q "\[001\]" /tmp/f'
		ok "trace-cmd reads it" sh -c 'trace-cmd report -i /tmp/f.dat 2> /dev/null | grep -q nt_oops_now'

		ok "the recording that was read all the time is joined" nestrace restore -q --vmcore /proc/vmcore -o /tmp/r.dat reading.dat
		nestrace report /tmp/r.dat > /tmp/r
		grep '^#' /tmp/r > /tmp/foot
		show < /tmp/foot
		is "it has each call once: what was saved, and what was in the rings" "$(grep -c ' nt_called <- ' /tmp/r)" 2200
		is "its counters add up, too" "$(adds_up /tmp/r)" yes
		says "without a recorder's directory it asks which session" 1 "2 sessions" nestrace report --vmcore /proc/vmcore
		rm -r flight.dat.nestrace
		is "session 2 without one: as many calls" "$(nestrace report --vmcore /proc/vmcore --session 2 2> /dev/null | grep -vc '^#')" 2200
		says "the wrong session" 1 "is not that of the recording" nestrace report --vmcore /proc/vmcore --session 1 reading.dat

		ok "makedumpfile writes a compressed dump" makedumpfile -l -d 31 /proc/vmcore /tmp/dump
		ls -l /tmp/dump >&2
		nestrace report --vmcore /tmp/dump reading.dat > /tmp/c
		ok "the compressed dump gives the same" cmp /tmp/r /tmp/c
		dd if=/tmp/dump of=/tmp/cut bs=64k count=10 2> /dev/null
		says "a compressed dump that is cut short" 1 "dump" nestrace report --vmcore /tmp/cut reading.dat
		verdict
	} > /dev/ttyS1 2> /dev/ttyS0
	reboot -f
INIT
cat >> crash/lib.sh <<-'LIB'
	# adds_up FILE: yes, if the accounting of a report is that of its hits
	adds_up()
	{
		awk '
			/^# context/ { table = 1; next }
			table && /^# total/ { print $3 == $4 + $5 + $6 + $7 ? "yes" : "no: " $0; done = 1; exit }
			END { if (!done) print "no table" }' "$1"
	}
LIB
chmod +x crash/init
(cd crash && find . | cpio -o -H newc > /tmp/crash.cpio)
setup kexec -p /tests/image --initrd=/tmp/crash.cpio \
	--append="console=ttyS0 nr_cpus=1 irqpoll panic=-1 reset_devices"
is "a crash kernel is loaded" "$(cat /sys/kernel/kexec_crash_loaded)" 1
# the last calls before the panic are in the rings only
echo panic > /proc/nt_oops
