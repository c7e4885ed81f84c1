# A panic ends a flight recording before the crash kernel starts: its rings hold what led to it.
# All functions are traced. The crash kernel looks for them in the old kernel's memory.
# kernels: 6.12 6.1
# slow: yes
# expect: panic
# image: yes
# programs: kexec
# memory: 768
# cmdline: crashkernel=256M
setup insmod /tests/nt_oops.ko

mkdir -p crash/proc crash/dev crash/bin
cp -r /bin/busybox /bin/frozen /tests/lib.sh /lib /lib64 /usr crash/ 2> /dev/null
mv crash/busybox crash/frozen crash/bin/
for applet in sh mount stty cat reboot sed; do ln -s busybox crash/bin/$applet; done
function=$(sed -n 's/^\([0-9a-f]*\) . nt_oops_now\t.*/\1/p' /proc/kallsyms)
cat > crash/init <<-INIT
	#!/bin/sh
	mount -t proc proc /proc
	mount -t devtmpfs devtmpfs /dev
	stty -F /dev/ttyS1 raw
	# the rest of a sub-buffer of each ring may follow the end; behind it are older hits
	set -- \$(frozen /proc/vmcore $function)
	{
		. /lib.sh
		# the first test was in the kernel that panicked
		tests=1
		note "\$1 calls of the function that led to the panic, \$2 hits after it, of \$3"
		ok "panic, all functions: the call that led to it is in the rings" test "\$1" -ge 1
		ok "panic, all functions: at most 3000 hits of both CPUs follow it" test "\$1" -ge 1 -a "\$2" -le 3000
		verdict
	} > /dev/ttyS1
	reboot -f
INIT
chmod +x crash/init
(cd crash && find . | cpio -o -H newc > /tmp/crash.cpio)
setup kexec -p /tests/image --initrd=/tmp/crash.cpio \
	--append="console=ttyS0 nr_cpus=1 irqpoll panic=-1 reset_devices"
is "a crash kernel is loaded" "$(cat /sys/kernel/kexec_crash_loaded)" 1

nestrace record -q --flight -b 256 -o t.dat sleep 100 &
setup until_running
# fill the rings, and let the serial line send
sleep 2
echo panic > /proc/nt_oops
