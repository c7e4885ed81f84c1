# -o writes to any file on any file system, through links, and needs its room only once.
# kernels: 6.1 6.12
# slow: 6.1
# modules: loop fat vfat nls_cp437 nls_ascii overlay
setup insmod /tests/nt_calls.ko
for module in loop fat vfat nls_cp437 nls_ascii overlay; do
	setup insmod /tests/modules/$module.ko
done
# record FILE [OPTION...]: 100 calls on each CPU into FILE
record()
{
	local file=$1
	shift
	nestrace record "$@" -l nt_called -o "$file" sh -c 'echo "task 100" > /proc/nt_calls' 2> err
}
# whole NAME FILE: test that FILE has the calls and that nothing else is left beside it
whole()
{
	is "$1: the hits are in the file" "$(nestrace report "$2" | grep -c 'nt_called <-')" 200
	is "$1: nothing else is left" "$(find "$(dirname "$2")" -name '*.nestrace*')" ""
}

setup mkdir a b
setup mount -t tmpfs tmpfs b
setup touch b/there.dat
setup ln -s ../b/there.dat a/link.dat
record a/link.dat
whole "a symbolic link" b/there.dat
ok "a symbolic link: it stays one" test -h a/link.dat
setup ln -s ../b/not-yet.dat a/dangling.dat
record a/dangling.dat
whole "a dangling link" b/not-yet.dat
ok "a dangling link: it stays one" test -h a/dangling.dat
setup ln -s link.dat a/first.dat
setup rm b/there.dat
record a/first.dat
whole "a chain of links" b/there.dat
ok "a chain of links: it stays one" test -h a/first.dat
setup ln -s loop.dat a/loop.dat
says "a link to itself" 125 "cannot write 'a/loop.dat': Too many" nestrace record -o a/loop.dat true
# the data is where the link points, too
setup mount -t tmpfs -o size=100k tmpfs a
setup ln -s ../b/there.dat a/link.dat
record a/link.dat
whole "a link on a full disk" b/there.dat
setup umount a

setup touch b/one.dat
setup ln b/one.dat b/two.dat
record b/one.dat
ok "a hard link: both names have the file" cmp b/one.dat b/two.dat
whole "a hard link" b/two.dat
setup chmod 640 b/there.dat
setup chown 65534:65534 b/there.dat
record b/there.dat
is "an existing file: it keeps mode and owner" "$(stat -c '%a %u %g' b/there.dat)" "640 65534 65534"
(umask 027; record b/new.dat)
is "a new file: its mode follows the umask" "$(stat -c %a b/new.dat)" 640

# A file that is a mount point cannot be replaced.
setup touch a/mounted.dat
setup mount --bind b/there.dat a/mounted.dat
record a/mounted.dat
whole "a bind mount" b/there.dat
setup cmp a/mounted.dat b/there.dat
nestrace record -q -l nt_called -o a/mounted.dat & recorder=$!
until_running
echo "task 100" > /proc/nt_calls
sleep 3
kill -9 $recorder
wait $recorder
ok "a bind mount, kill -9: it is restored" nestrace restore a/mounted.dat
whole "a bind mount, kill -9" b/there.dat
setup umount a/mounted.dat

# A directory that takes no files, with a file that can be written.
setup mkdir -p /var/tmp
setup touch b/there.dat a/mounted.dat
setup mount --bind b/there.dat a/mounted.dat
setup mount --bind a a
setup mount -o remount,ro,bind a
setup mount --bind b/there.dat a/mounted.dat
record a/mounted.dat
ok "a read-only directory: it says where the recording is" grep -q "no new files beside the output: 'a/mounted.dat'; until the end the recording is in /" err
whole "a read-only directory" b/there.dat
is "a read-only directory: nothing is left elsewhere" "$(find /var/tmp /tmp -name 'nestrace-*')" ""
setup umount a/mounted.dat
says "a read-only directory without the file" 125 "Read-only file system" nestrace record -o a/new.dat true

setup mkdir -p planted.dat.nestrace
setup mkfifo planted.dat.nestrace/about
ok "a FIFO that was put in the place of a file does not keep the recorder" \
	timeout 60 nestrace record -q -l nt_called -o planted.dat true

# data MIB FILE: record until the directory of FILE has MIB of data, from all functions
data()
{
	local dir=$(dirname "$2")
	nestrace record -b 16384 -o "$2" sh -c '
		while [ -e '"$2"'.nestrace ] && [ $(du -sm '"$dir"' | cut -f 1) -lt '"$1"' ]; do
			for i in 1 2 3 4 5; do cat /proc/self/maps > /dev/null; done
		done' 2> err
}
# fits NAME DIR MIB: record MIB, and see that the file is whole
fits()
{
	data $3 $2/t.dat
	is "$1: a recording of most of the disk succeeds" $? 0
	nestrace stat -i $2/t.dat 2> err2 > r
	ok "$1: the file is whole" test ! -s err2
	is "$1: each hit that was recorded is in the file" "$(awk '$1 ~ /^[0-9]+$/ { n += $1 } END { print n + 0 }' r)" "$(counter r total recorded)"
	is "$1: nothing else is left" "$(find "$2" -name '*.nestrace*')" ""
	show < err
}
setup dd if=/dev/zero of=disk bs=1M count=0 seek=14
setup mkdosfs disk
setup mkdir vfat
setup mount -t vfat -o loop disk vfat
record vfat/t.dat
whole "vfat" vfat/t.dat
fits "vfat" vfat 8
setup rm vfat/t.dat
data 100 vfat/t.dat
is "vfat, full: the recording ends by itself" $? 125
ok "vfat, full: it says so" grep -q "No space left on device; the recording ends, and what was written is kept" err
show < err
nestrace stat -i vfat/t.dat > r 2> err
ok "vfat, full: the file is whole" test ! -s err
ok "vfat, full: the file has most of the disk's data" test "$(stat -c %s vfat/t.dat)" -gt 8000000
is "vfat, full: nothing else is left" "$(ls -A vfat)" t.dat
setup umount vfat

setup mkdir over upper lower work
setup mount -t tmpfs tmpfs upper
setup mkdir upper/upper upper/work
setup touch lower/t.dat
setup mount -t overlay -o lowerdir=lower,upperdir=upper/upper,workdir=upper/work overlay over
record over/t.dat
whole "overlay" over/t.dat
setup umount over

setup mkdir small
setup mount -t tmpfs -o size=12m tmpfs small
fits "tmpfs" small 8
data 100 small/t.dat
show < err
ok "tmpfs, full: it says so" grep -q "No space left on device; the recording ends, and what was written is kept" err
nestrace stat -i small/t.dat > r 2> err
ok "tmpfs, full: the file is whole" test ! -s err
is "tmpfs, full: nothing else is left" "$(ls -A small)" t.dat

# Others fill the disk while the file is made.
setup rm small/t.dat
nestrace record -q -b 16384 -l nt_called -o small/t.dat & recorder=$!
until_running
echo "task 100000" > /proc/nt_calls
sleep 3
kill -9 $recorder
wait $recorder
rm -f small/t.dat.nestrace/reserve
dd if=/dev/zero of=small/other bs=1M count=100 2> /dev/null
# the room of the tail may be enough
if ! nestrace restore small/t.dat 2> err; then
	ok "restore on a full disk: what was recorded is kept" grep -q "what was recorded is kept: 'small/t.dat.nestrace'" err
	setup rm small/other
	ok "restore once there is room" nestrace restore small/t.dat
fi
lost=$(nestrace report small/t.dat | awk '$1 == "#" && $2 == "total" { print $5 }')
is "restore on a full disk: all hits are in the file, or lost" $(($(nestrace report small/t.dat | grep -c 'nt_called <-') + lost)) 200000
