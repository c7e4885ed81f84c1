# Rings in reserved memory survive a reboot, a panic and kill -9 of the recorder: what they had is read afterwards. The
# guest is started three times, and has a disk in memory for what the recorder saves. All functions are traced on both
# CPUs with returns, and known calls by a recorder that reads all the time. incidents.sh has other ends.
# kernels: 6.12 debug-6.12
# slow: debug-6.12
# expect: panic
# resets: yes
# programs: trace-cmd mkfs.ext4
# modules: libnvdimm nd_btt nd_pmem nd_e820 crc16 crc32c_generic mbcache jbd2 ext4
# cmdline: nokaslr memmap=96M!0x38000000 reserve_mem=2M:2M:nestrace reserve_mem=4M:2M:nestrace_read
setup insmod /tests/nt_oops.ko
setup insmod /tests/nt_calls.ko
for module in libnvdimm nd_btt nd_pmem nd_e820 crc16 crc32c_generic mbcache jbd2 ext4; do
	# some are parts of some kernels
	[ ! -e /tests/modules/$module.ko ] || insmod /tests/modules/$module.ko 2> /dev/null
done
setup mkdir -p disk /run
if ! mount -t ext4 /dev/pmem0 disk 2> /dev/null; then
	setup mkfs.ext4 -q /dev/pmem0
	setup mount -t ext4 /dev/pmem0 disk
fi
# the results of the earlier starts
start=0
[ ! -e disk/state ] || read -r start tests failures < disk/state

# adds_up FILE: yes, if the accounting of a report is that of its hits
adds_up()
{
	awk '
		/^# context/ { table = 1; next }
		table && /^# total/ { print $3 == $4 + $5 + $6 + $7 ? "yes" : "no: " $0; done = 1; exit }
		END { if (!done) print "no table" }' "$1"
}

begin()
{
	# this one first: all is slow once all functions are traced
	nestrace record -q --persist nestrace_read -l nt_called -o disk/reading.dat sleep 1000 &
	reading=$!
	setup within_a_minute sessions "1 running"
	nestrace record -q --persist nestrace --flight --ret -o disk/flight.dat sleep 1000 &
	flight=$!
	setup within_a_minute sessions "2 running"
	echo "task 1000" > /proc/nt_calls
	# a recording is saved twice a second, and written to the disk once a second
	sleep 3
	echo "task 100" > /proc/nt_calls
}

# check WHAT LAST: read what the last start has left, whose last hits are of the functions LAST
check()
{
	ok "$1: the flight is read" nestrace restore -q --last-boot nestrace -o f.dat disk/flight.dat
	nestrace report -t f.dat > f
	grep -v '^#' f | tail -n 3 | while read -r line; do note "$line"; done
	grep '^#' f | show
	hits=$(grep -cE '\[[0-9]{3}\] ' f)
	ok "$1: all functions: there are many hits" test "$hits" -gt 10000
	ok "$1: the last hits are there" sh -c "grep -v '^#' f | tail -n 2000 | grep -qE ' ($2)( <- |\\()'"
	ok "$1: no hit is out of order" awk '!/^#/ && match($0, / [0-9]+\.[0-9]+: /) { t = substr($0, RSTART + 1, RLENGTH - 3) + 0; if (t < last) exit 1; last = t }' f
	is "$1: the counters add up" "$(adds_up f)" yes
	ok "$1: both CPUs have hits" sh -c 'grep -q "\[000\]" f && grep -q "\[001\]" f'
	is "$1: trace-cmd reads as many" "$(trace-cmd report -R -i f.dat 2> /dev/null | grep -cE '\[[0-9]{3}\] ')" "$hits"
	says "$1: of another recording" 3 "this recording is not in the memory" \
		nestrace report --last-boot nestrace_read disk/flight.dat
	ok "$1: the recording that was read all the time is joined" nestrace restore -q --last-boot nestrace_read -o r.dat disk/reading.dat
	nestrace report r.dat > r
	grep '^#' r | show
	is "$1: it has each call once: what was saved, and what was in the rings" "$(grep -c ' nt_called <- ' r)" 2200
	is "$1: its counters add up, too" "$(adds_up r)" yes
	rm -rf disk/*.nestrace f.dat r.dat
	says "$1: it is read once" 1 "nothing is kept in the reserved memory: 'nestrace'" nestrace report --last-boot nestrace
}

start=$((start + 1))
case $start in
1)
	says "no such memory" 125 "no reserved memory has that name: 'nestrace_no'" nestrace record --persist nestrace_no true
	says "no such memory for report" 1 "no reserved memory has that name: 'nestrace_no'" nestrace report --last-boot nestrace_no
	says "memory of others" 125 "not a name of reserved memory for nestrace: 'oops'" nestrace record --persist oops true
	says "nothing is kept" 1 "nothing is kept in the reserved memory: 'nestrace_read'" nestrace report --last-boot nestrace_read
	says "too large a ring" 125 "do not fit into the reserved memory" nestrace record --persist nestrace_read -b 64M true
	nestrace record -q --persist nestrace_read -l nt_called -o t.dat sh -c 'echo "task 100" > /proc/nt_calls'
	is "a recording that ends is like any other" "$(nestrace report t.dat | grep -c ' nt_called <- ')" 200
	says "and leaves nothing" 1 "nothing is kept in the reserved memory: 'nestrace_read'" nestrace report --last-boot nestrace_read
	nestrace record -q --persist nestrace_read -W -b 512K -l 'vfs_*' -o t.dat ls -R /sys/kernel/mm > /dev/null
	ok "it may overwrite" sh -c 'nestrace report t.dat > r && test "$(grep -vc "^#" r)" -gt 100'
	is "it may overwrite: the counters add up" "$(adds_up r)" yes
	;;
2) check "reboot -f" 'machine_restart|native_machine_restart|kernel_restart|native_machine_shutdown|delay_tsc' ;;
3) check "panic" 'nt_oops_now|panic|vpanic|panic_other_cpus_shutdown|emergency_restart' ;;
esac
[ $start = 3 ] || begin
echo $start $tests $failures > disk/state
sync
case $start in
1) reboot -f ;;
2)
	echo panic > /proc/nt_oops
	sleep 60 ;;
esac

# the recorder is killed, and the machine lives on
begin
says "two recordings" 125 "another recording uses the reserved memory" nestrace record --persist nestrace true
says "it is in use" 1 "a recording uses the reserved memory: 'nestrace'" nestrace report --last-boot nestrace
kill -9 $flight $reading
killall sleep
wait $flight $reading
setup within_a_minute sessions "0 running"
says "an unread recording is not lost" 125 "the reserved memory holds an earlier recording: '--persist nestrace_read'" \
	nestrace record --persist nestrace_read true
nestrace report --last-boot nestrace_read disk/reading.dat > r
is "the recorder was killed: report finds each call" "$(grep -c ' nt_called <- ' r)" 2200
check "the recorder was killed" '[a-z_0-9.]*'
begin
kill -9 $flight $reading
killall sleep
wait $flight $reading
setup within_a_minute sessions "0 running"
ok "it can be discarded" nestrace restore -q --last-boot nestrace --discard
says "then nothing is kept" 1 "nothing is kept in the reserved memory: 'nestrace'" nestrace report --last-boot nestrace
says "--discard alone" 2 "--discard is for reserved memory" nestrace restore --discard
setup rmmod nt_calls
setup rmmod nt_oops
setup rmmod nestrace
