package stagetest

import (
	"reflect"
	"unsafe"

	"github.com/interdict/interdict/schema"
)

// memory is where a batch's strings and slices live, so that all of it can be
// overwritten, as a runner does when it takes the next records into the same
// buffers.
type memory struct {
	text   [][]byte
	slices []reflect.Value
}

// copyOf gives a batch equal to b, all of whose memory is m's.
func (m *memory) copyOf(b *schema.Batch) *schema.Batch {
	c := *b
	m.own(reflect.ValueOf(&c).Elem())
	return &c
}

func (m *memory) own(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.Len() > 0 {
			text := []byte(v.String())
			m.text = append(m.text, text)
			v.SetString(unsafe.String(unsafe.SliceData(text), len(text)))
		}
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(c, v)
		v.Set(c)
		m.slices = append(m.slices, c)
		for i := range c.Len() {
			m.own(c.Index(i))
		}
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		c := reflect.New(v.Type().Elem())
		c.Elem().Set(v.Elem())
		v.Set(c)
		m.own(c.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				m.own(v.Field(i))
			}
		}
	}
}

// scribble overwrites everything: text first, since elements may hold it.
func (m *memory) scribble() {
	for _, t := range m.text {
		for i := range t {
			t[i] = '#'
		}
	}
	for _, s := range m.slices {
		s.Clear()
	}
}
