# As Xen's first domain, paravirtualized: PV spinlocks and interrupts, preemptible
# hypercalls, no exception stacks of its own.
# kernels: 6.1-xen 6.12-xen
all_under_load 5
ok "on Xen" grep -q xen /sys/hypervisor/type
grep -w 'xen_[a-z_]*' r | grep -v '^#' | head -n 5 | while read -r line; do note "$line"; done
row "Xen PV, all functions"
ok "unload" rmmod nestrace
