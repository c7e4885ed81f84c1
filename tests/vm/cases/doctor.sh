# nestrace doctor says what a machine lacks, with a remedy for each.
# kernels: 6.1 6.12
# slow: 6.1
# doctor SUBJECT WORD TEXT: test the line of a subject in the file r
doctor()
{
	ok "$1: it is $2: $3" grep -q "^$2 *$1: .*$3" r
}

nestrace doctor > r
is "with the module, headers are not needed" $? 0
show < r
doctor kernel ok "$(uname -r) on x86_64"
doctor "kernel headers" hint "none are installed for $(uname -r)"
ok "a hint has a remedy" sh -c 'grep -A 1 "^hint *kernel headers" r | grep -q "Install linux-headers-RELEASE"'
doctor module ok "is loaded"
doctor device ok "you have access to /dev/nestrace"
doctor names ok "/proc/kallsyms has addresses"
doctor ftrace ok "is on"
doctor tracefs ok "no tracer is on"
doctor memory ok "MiB are available"
is "nobody but headers and compiler is BAD" "$(grep '^BAD' r | cut -d: -f1 | grep -v 'headers\|compiler\|configuration')" ""

echo function > /sys/kernel/tracing/current_tracer
echo 2 > /proc/sys/kernel/kptr_restrict
nestrace doctor > r
doctor tracefs hint "the tracer 'function' is on"
ok "kptr_restrict 2: addresses are hidden from all" sh -c 'grep -q "^BAD *names: kernel.kptr_restrict is 2" r || grep -q "^ok *names" r'
echo 0 > /proc/sys/kernel/kptr_restrict
echo nop > /sys/kernel/tracing/current_tracer
if ftrace_has_switch; then
	echo 0 > /proc/sys/kernel/ftrace_enabled
	nestrace doctor > r
	echo 1 > /proc/sys/kernel/ftrace_enabled
	doctor ftrace BAD "is off, so no function can be traced"
fi
su nobody -c 'nestrace doctor' > r 2> err
show < r
doctor device hint "you have no access to /dev/nestrace"
doctor tracefs hint "cannot be read"
setup rmmod nestrace
nestrace doctor > r
is "without the module and headers, the status is 1" $? 1
doctor "kernel headers" BAD "none are installed for $(uname -r)"
doctor module hint "is not loaded, and not installed"
ok "without the module there is no line for the device" sh -c '! grep -q "device:" r'
is "an argument is wrong use" "$(nestrace doctor x 2> /dev/null; echo $?)" 2
