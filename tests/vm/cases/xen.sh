# The guest is Xen's first domain, paravirtualized. It has PV spinlocks and interrupts and
# preemptible hypercalls, and no exception stacks of its own.
# kernels: 6.1-xen 6.12-xen
all_under_load 5
ok "the kernel runs on Xen" grep -q xen /sys/hypervisor/type
grep -w 'xen_[a-z_]*' r | grep -v '^#' | head -n 5 | show
row "Xen PV, all functions"
ok "the module can be unloaded" rmmod nestrace
