# The ioctls and streams of /dev/nestrace.
# kernels: all
insmod /tests/nt_calls.ko
abi > /tmp/abi.out
relay /tmp/abi.out
ok "abi ran to its end" grep -q '^abi: .* tests$' /tmp/abi.out

ok "unload is refused while a session is open" sh -c '! (rmmod nestrace 2>/dev/null) ' < /dev/null 3< /dev/nestrace
ok "and goes well afterwards" rmmod nestrace
ok "and so does loading again" insmod /tests/nestrace.ko
