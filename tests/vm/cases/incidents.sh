# Whatever was promised is there after kill -9, reboot -f and a panic at 20 random moments each, and after sysrq and a
# hardware reset at 5 each. The guest has a disk in memory. It writes down how many calls it has made, past all caches.
# kernels: 6.12
# slow: yes
# expect: panic
# resets: yes
# limit: 7200
# programs: trace-cmd mkfs.ext4
# modules: libnvdimm nd_btt nd_pmem nd_e820 crc16 crc32c_generic mbcache jbd2 ext4
# cmdline: nokaslr memmap=128M!0x38000000 reserve_mem=4M:2M:nestrace
rounds=20
# how the starts of the guest end, and what the next one says of it
ends=$(for i in $(seq $rounds); do
	echo reboot panic
	[ $((i % 4)) != 0 ] || echo sysrq reset
done | tr '\n' ' ')
end_of() # START
{
	echo "$ends" | cut -d ' ' -f "$1"
}
setup insmod /tests/nt_oops.ko
setup insmod /tests/nt_calls.ko
for module in libnvdimm nd_btt nd_pmem nd_e820 crc16 crc32c_generic mbcache jbd2 ext4; do
	# some are parts of some kernels
	[ ! -e /tests/modules/$module.ko ] || insmod /tests/modules/$module.ko 2> /dev/null
done
setup mkdir -p disk /run
# the log is behind the file system
log_at=245760
if ! mount -t ext4 /dev/pmem0 disk 2> /dev/null; then
	setup mkfs.ext4 -q /dev/pmem0 118M
	setup mount -t ext4 /dev/pmem0 disk
fi
start=0
[ ! -e disk/state ] || read -r start tests failures < disk/state

now()
{
	awk '{ printf "%d\n", $1 * 100 }' /proc/uptime
}

# calls: make calls, and write down how many and when. $made is a file for who is in this guest.
calls()
{
	n=0
	i=0
	while :; do
		echo "task 10" > /proc/nt_calls
		n=$((n + 20))
		echo "$n $(now)" >> made
		tail -n 1 made | awk -v start=$start '{ printf "%-512s", "made " start " " $0 " " }' |
			dd of=/dev/pmem0 bs=512 seek=$((log_at + i % 64)) oflag=direct conv=notrunc 2> /dev/null
		i=$((i + 1))
		usleep 100000
	done
}

# made LOG SECONDS: how many calls had been made so long before the last entry
made()
{
	sort -n -k 2 "$1" | awk -v back="$2" '
		{ n[NR] = $1; t[NR] = $2 }
		END { for (i = NR; i > 1 && t[NR] - t[i] < back * 100; i--); print n[i] + 0 }'
}

# lacking FILE NAME: show what there is
lacking()
{
	[ -e "$1" ] || return
	nestrace report -t "$1" > lacking
	grep '^#' lacking | show
	grep -v '^#' lacking | tail -n 3 | while read -r line; do note "$line"; done
	tr '\n' ';' < log | while read -r line; do note "$line"; done
}

# at_least NAME GOT WANTED [FILE]
at_least()
{
	note "$1: $2 calls, promised $3"
	[ "$2" -ge "$3" ] || lacking "$4" "$1"
	ok "$1" test "$2" -ge "$3"
}

# read_all FILE...: how many known calls are in all of these; trace-cmd must find as many
read_all()
{
	n=$(known_calls "$@")
	theirs=0
	for file; do
		theirs=$((theirs + $(trace-cmd report -i "$file" 2> /dev/null | grep -c nt_called)))
	done
	[ "$theirs" = "$n" ] || echo -n "trace-cmd has $theirs, we have "
	echo "$n"
}

# restore_all DIRECTORY: complete what is not
restore_all()
{
	for partial in "$1"/*.nestrace; do
		[ ! -d "$partial" ] || nestrace restore -q "$partial" || note "restore of $partial failed"
	done
}

moment()
{
	usleep $((2500000 + RANDOM * 122))
}

# ---- kill -9 ----
kills()
{
	for i in $(seq $rounds); do
		rm -rf killed made
		mkdir killed
		how=$([ $((i % 2)) = 0 ] && echo "--rotate 1")
		nestrace record -q $how -l nt_called -o killed/t.dat sleep 1000 &
		recorder=$!
		setup within_a_minute sessions "1 running"
		: > made
		calls > /dev/null &
		caller=$!
		moment
		kill -9 $recorder
		cp made made.then
		kill $caller
		# a COMMAND that outlives its recorder is a child of this shell
		killall sleep
		wait $recorder $caller
		setup within_a_minute sessions "0 running"
		restore_all killed
		at_least "kill -9, $i $how" "$(read_all killed/*.dat)" "$(made made.then 2)"
	done
}

# ---- the machine ----
begin()
{
	rm -rf disk/t disk/flight
	mkdir disk/t disk/flight
	dd if=/dev/zero of=/dev/pmem0 bs=512 seek=$log_at count=64 oflag=direct conv=notrunc 2> /dev/null
	nestrace record -q --rotate 2 -l nt_called -o disk/t/t.dat sleep 1000 &
	nestrace record -q --persist nestrace --flight --keep 3 -l nt_called -o disk/flight/f.dat &
	setup within_a_minute sessions "2 running"
	: > made
	calls &
}

# check WHAT: of the last start
check()
{
	dd if=/dev/pmem0 bs=512 skip=$log_at count=64 iflag=direct 2> /dev/null | tr -d '\0' | sed 's/made /\n/g' |
		awk -v last=$((start - 1)) 'NF >= 3 && $1 == last { print $2, $3 }' > log
	restore_all disk/t
	at_least "$1: on the disk" "$(read_all disk/t/*.dat)" "$(made log 3)"
	# the next recording saves what the last one has left
	nestrace record -q --persist nestrace --flight --keep 3 -l nt_called -o disk/flight/f.dat &
	recorder=$!
	setup within_a_minute sessions "1 running"
	kill -INT $recorder
	wait $recorder
	ls disk/flight >&2
	first=$(ls disk/flight/*.dat | head -n 1)
	at_least "$1: in the memory" "$(read_all "$first")" "$(made log 0)" "$first"
}

start=$((start + 1))
[ $start != 1 ] || kills
[ $start = 1 ] || check "start $start, after $(end_of $((start - 1)))"
echo $start $tests $failures > disk/state
sync
how=$(end_of $start)
if [ "$how" ]; then
	begin
	moment
fi
case $how in
reboot) reboot -f ;;
panic) echo panic > /proc/nt_oops ;;
sysrq) echo b > /proc/sysrq-trigger ;;
reset)
	stty -F /dev/ttyS2 raw -echo
	echo system_reset > /dev/ttyS2 ;;
esac
[ ! "$how" ] || sleep 60
setup rmmod nt_calls
setup rmmod nt_oops
