package match

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"
)

// heapBelow is the size up to which a base's arrays come from the Go heap. Larger
// ones come from the kernel: the collector would keep as much again free as they
// take, and they hold no pointers that it could follow.
const heapBelow = 256 << 10

// arrays makes the arrays of a base, in one piece of memory that ends with it. They
// must not outlive the base: who uses one keeps the base, or what holds it, alive.
func (b *base) arrays(words, radix, entries int) error {
	size := 8*words + slotSize*entries + 4*radix
	if size < heapBelow {
		b.words, b.radix, b.entries = make([]uint64, words), make([]uint32, radix), make([]slot, entries)
		return nil
	}
	memory, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("memory for a shard of the index: %w", err)
	}
	runtime.AddCleanup(b, func(memory []byte) {
		_ = syscall.Munmap(memory) // it is ours, and nothing could be done
	}, memory)
	b.words, memory = unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(memory))), words), memory[8*words:]
	b.entries, memory = unsafe.Slice((*slot)(unsafe.Pointer(unsafe.SliceData(memory))), entries), memory[slotSize*entries:]
	b.radix = unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(memory))), radix)
	return nil
}
