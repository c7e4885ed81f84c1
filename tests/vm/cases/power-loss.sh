# The power goes while a recording writes to a disk: what was read up to a second before is there. The disk is a RAM
# disk, and no cache is written back by itself: a copy of it has only what the recorder has put there.
# kernels: 6.12
# cpus: 2
# programs: trace-cmd mkfs.ext4
# modules: brd crc16 crc32c_generic mbcache jbd2 ext4
setup insmod /tests/nt_calls.ko
setup insmod /tests/modules/brd.ko rd_nr=2 rd_size=131072
for module in crc16 crc32c_generic mbcache jbd2 ext4; do
	setup insmod /tests/modules/$module.ko
done
echo 0 > /proc/sys/vm/dirty_writeback_centisecs
for file in dirty_ratio dirty_background_ratio; do
	echo 90 > /proc/sys/vm/$file
done
setup mkdir -p disk after /run
setup mkfs.ext4 -q -O ^metadata_csum /dev/ram0

# lose_power: mount what the disk has
lose_power()
{
	kill -9 $recorder
	dd if=/dev/ram0 of=/dev/ram1 bs=1M 2> /dev/null
	wait $recorder
	setup mount -t ext4 /dev/ram1 after
}

power_comes_back()
{
	setup umount after
	umount disk
}

for i in 1 2 3; do
	setup mount -t ext4 /dev/ram0 disk
	nestrace record -q -l nt_called -o disk/t.dat sleep 1000 &
	recorder=$!
	setup within_a_minute sessions "1 running"
	for j in 1 2 3 4 5 6 7 8 9 10; do
		echo "task 100" > /proc/nt_calls
		usleep $((i * 100000))
	done
	# a recording is saved twice a second, and written to the disk once a second
	sleep 3
	echo "task 100" > /proc/nt_calls
	lose_power
	ok "$i: nestrace restore works" nestrace restore -q -o "$PWD/t.dat" after/t.dat
	n=$(known_calls t.dat)
	ok "$i: all calls up to a second before are there" test "$n" -ge 2000
	is "$i: trace-cmd reads as many" "$(trace-cmd report t.dat 2> /dev/null | grep -c nt_called)" "$n"
	power_comes_back
	setup mkfs.ext4 -q -F -O ^metadata_csum /dev/ram0
done

# files that follow each other: those that are complete are whole, the last one can be restored
setup mount -t ext4 /dev/ram0 disk
nestrace record -q --rotate 2 -l nt_called -o disk/piece.dat sleep 1000 &
recorder=$!
setup within_a_minute sessions "1 running"
for j in 1 2 3 4 5 6 7 8 9 10 11 12; do
	echo "task 100" > /proc/nt_calls
	usleep 500000
done
sleep 3
lose_power
ls -R after >&2
ok "pieces: several are complete" test "$(ls after/piece-*.dat | wc -l)" -ge 2
for partial in after/piece-*.nestrace; do
	[ -d "$partial" ] && nestrace restore -q "$partial"
done
is "pieces: all calls are in them" "$(known_calls after/piece-*.dat)" 2400
power_comes_back
setup rmmod nt_calls
