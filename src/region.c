// SPDX-License-Identifier: GPL-2.0
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "region.h"
#include "uapi/nestrace.h"
#include "uapi/nestrace_dump.h"

struct nt_region {
	struct list_head list;		/* of those that are claimed */
	char *base;
	size_t size, used;		/* in bytes */
};

static LIST_HEAD(nt_regions);
static DEFINE_MUTEX(nt_regions_lock);	/* of the list, and of all first pages */

/* Find whole pages. Return: 0, -EOPNOTSUPP, -EACCES or -ENOENT. */
static int nt_region_find(const char *name, struct nt_region *r)
{
#ifdef NT_RESERVE_MEM
	phys_addr_t start, size, end;

	/* other memory is ramoops', or a trace instance's */
	if (strncmp(name, NESTRACE_REGION_PREFIX, strlen(NESTRACE_REGION_PREFIX)))
		return -EACCES;
	if (!reserve_mem_find_by_name(name, &start, &size))
		return -ENOENT;
	end = round_down(start + size, PAGE_SIZE);
	start = round_up(start, PAGE_SIZE);
	/* it is of the memory that the kernel maps */
	r->base = phys_to_virt(start);
	r->size = end > start ? end - start : 0;
	return r->size ? 0 : -ENOENT;
#else
	return -EOPNOTSUPP;
#endif
}

static bool nt_region_is_claimed(const struct nt_region *r)
{
	struct nt_region *other;

	list_for_each_entry(other, &nt_regions, list)
		if (other->base == r->base)
			return true;
	return false;
}

/* Is there a session of before? */
static bool nt_region_holds(const struct nt_region *r)
{
	const struct nestrace_dump_head *head = (void *)r->base;

	return !memcmp(head->magic, NESTRACE_DUMP_REGION_MAGIC, sizeof(head->magic)) &&
	       head->self == virt_to_phys(r->base);
}

int nt_region_claim(const char *name, struct nt_region **region)
{
	struct nt_region *r = kzalloc(sizeof(*r), GFP_KERNEL);
	int ret;

	if (!r)
		return -ENOMEM;
	mutex_lock(&nt_regions_lock);
	ret = nt_region_find(name, r);
	if (!ret && nt_region_is_claimed(r))
		ret = -EBUSY;
	if (!ret && nt_region_holds(r))
		ret = -EEXIST;
	if (!ret) {
		list_add(&r->list, &nt_regions);
		nt_region_rewind(r);
		*region = r;
	}
	mutex_unlock(&nt_regions_lock);
	if (ret)
		kfree(r);
	return ret;
}

void nt_region_rewind(struct nt_region *r)
{
	nt_region_forget(r);
	r->used = PAGE_SIZE;
}

void *nt_region_take(struct nt_region *r, size_t bytes)
{
	char *taken = r->base + r->used, *page;

	bytes = round_up(bytes, PAGE_SIZE);
	if (bytes > r->size - r->used)
		return NULL;
	r->used += bytes;
	for (page = taken; page < taken + bytes; page += PAGE_SIZE) {
		clear_page(page);
		cond_resched();
	}
	return taken;
}

void nt_region_publish(struct nt_region *r, u64 session)
{
	struct nestrace_dump_anchor *anchor = (void *)r->base;

	anchor->head.self = virt_to_phys(anchor);
	anchor->version = NESTRACE_DUMP_VERSION;
	anchor->page_size = PAGE_SIZE;
	anchor->session[0] = session;
	/* after what it leads to, for whoever looks at the memory after a reset */
	smp_wmb();
	memcpy(anchor->head.magic, NESTRACE_DUMP_REGION_MAGIC, sizeof(anchor->head.magic));
}

void nt_region_forget(struct nt_region *r)
{
	memset(r->base, 0, PAGE_SIZE);
}

void nt_region_release(struct nt_region *r)
{
	mutex_lock(&nt_regions_lock);
	list_del(&r->list);
	mutex_unlock(&nt_regions_lock);
	kfree(r);
}

/* ---- for a reader ---- */

static ssize_t nt_region_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	const struct nt_region *r = file->private_data;

	return simple_read_from_buffer(buf, count, pos, r->base, r->size);
}

static int nt_region_close(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static const struct file_operations nt_region_fops = {
	.owner		= THIS_MODULE,
	.read		= nt_region_read,
	.release	= nt_region_close,
	.llseek		= noop_llseek,
};

/* Return: a descriptor that reads @r, and frees it in the end, or an error. */
static int nt_region_fd(struct nt_region *r)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct file *file;

	if (fd < 0)
		return fd;
	file = anon_inode_getfile("[nestrace-region]", &nt_region_fops, r, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	/* for pread() */
	file->f_mode |= FMODE_PREAD;
	fd_install(fd, file);
	return fd;
}

int nt_region_open(const char *name)
{
	struct nt_region *r = kzalloc(sizeof(*r), GFP_KERNEL);
	int ret;

	if (!r)
		return -ENOMEM;
	ret = nt_region_find(name, r) ?: nt_region_fd(r);
	if (ret < 0)
		kfree(r);
	return ret;
}

int nt_region_describe(struct nestrace_region *arg)
{
	struct nt_region r;
	int ret;

	mutex_lock(&nt_regions_lock);
	ret = nt_region_find(arg->name, &r);
	if (!ret) {
		arg->at = virt_to_phys(r.base);
		arg->bytes = r.size;
		arg->holds = nt_region_holds(&r);
	}
	if (!ret && arg->flags && nt_region_is_claimed(&r))
		ret = -EBUSY;
	if (!ret && arg->flags && !arg->holds)
		ret = -ENODATA;
	if (!ret && arg->flags & NESTRACE_REGION_FORGET)
		nt_region_forget(&r);
	mutex_unlock(&nt_regions_lock);
	return ret;
}
