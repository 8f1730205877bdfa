/* mach.h - what the probe for macOS uses of the system's header, in words of our own; layout.h says
 * of which releases. */
#ifndef SLSHIM_STUB_DARWIN_MACH_H
#define SLSHIM_STUB_DARWIN_MACH_H

#include <stdint.h>

typedef uint32_t mach_port_t, mach_msg_type_number_t;
typedef int kern_return_t, *task_info_t;

enum { KERN_SUCCESS = 0 };
enum { TASK_VM_INFO = 22, TASK_VM_INFO_REV0_COUNT = 36 }; /* in units of 32 bits */

/* The system packs it to 4 bytes. */
#pragma pack(push, 4)
struct task_vm_info {
	uint64_t virtual_size; /* bytes, as all sizes here */
	char before_resident_size[8];
	uint64_t resident_size;
	char before_compressed[96];
	uint64_t compressed;
	char before_rev1[16];
	char rev1_to_rev7[228]; /* what was added since, which is not asked for */
};
#pragma pack(pop)

extern mach_port_t mach_task_self_;
#define mach_task_self() mach_task_self_

kern_return_t task_info(mach_port_t task, unsigned flavor, task_info_t told,
                        mach_msg_type_number_t *count);

#endif
