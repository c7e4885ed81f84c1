# record --args and --if with all functions: each has its arguments, or the registers and why.
# kernels: 6.12 6.1 backports debug-6.12
# slow: yes
setup insmod /tests/nt_args.ko
calls='echo "task 3 softirq 2 hardirq 2 nmi 2" > /proc/nt_args'
types=
[ ! -f /sys/kernel/btf/vmlinux ] || types=y

# balanced NAME: test the accounting of the report r
balanced()
{
	ok "$1: the counters add up" sh -c '! grep "do not add up" r'
}

if [ "$types" ]; then
	setup nestrace record -q --ret=exit --if 'retval == -ENOENT' -o t.dat sh -c "$calls" 2> err
	setup nestrace report t.dat > r
	is "--if retval, all functions: those that match" "$(grep -c 'nt_error -> -2 (ENOENT)' r)" 4
	is "--if retval, all functions: no others" "$(grep -v '^#' r | grep -vc -- '-> -2 (ENOENT)')" 0
	balanced "--if retval, all functions"
fi
# the texts of all hits are more than the guest's memory
setup nestrace record -q --args -b 16384 -o t.dat true
setup nestrace report t.dat | awk '/^#/ || !(n++ % 16)' > r
balanced "all functions"
[ ! "$types" ] || ok "all functions: most have typed arguments" \
	sh -c 'typed=$(grep -c "[a-z0-9_]([^/]*) <- " r); raw=$(grep -c "rdi=0x.*/\* " r); test $typed -gt $((4 * raw))'
ok "all functions: the others have registers, and why" grep -q '(rdi=0x.*r9=0x[0-9a-f]* /\* \(clone\|ambiguous\|no BTF\) \*/) <- ' r
is "all functions: recursed" "$(awk '$2 == "total" { print $6; exit }' r)" 0
setup nestrace record -q --args=deep --ret --stack=4 -b 16384 -o t.dat sh -c "$calls"
setup nestrace report --graph t.dat | awk '/^#/ || !(n++ % 16)' > r
balanced "all functions, with all that a hit can have"
ok "all functions: a graph with arguments" grep -q ' | .*(.*=.*) {$' r
setup rmmod nt_args
