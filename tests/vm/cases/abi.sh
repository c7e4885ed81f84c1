# The ioctls and streams of /dev/nestrace do what the uapi header says.
# kernels: all
# slow: 6.1 debug-6.12
# cmdline: reserve_mem=2M:4096:nestrace_abi
setup insmod /tests/nt_calls.ko
abi > /tmp/abi.out
relay /tmp/abi.out
ok "the program abi runs to its end" grep -q '^abi: .* tests$' /tmp/abi.out

ok "the module cannot be unloaded while a session is open" sh -c '! (rmmod nestrace 2>/dev/null) ' < /dev/null 3< /dev/nestrace
ok "the module can be unloaded once the session is closed" rmmod nestrace
ok "the module can be loaded again" insmod /tests/nestrace.ko
