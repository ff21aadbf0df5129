package pegs

import (
	"fmt"
	"reflect"
	"time"
	"unsafe"

	"causeway/pegs/graph"
)

// fieldWalker changes every value of a graph by itself and back.
type fieldWalker struct {
	check  func(path string)
	seen   map[any]bool
	fields int
}

// free is a value that may be set although its field is not exported.
func free(v reflect.Value) reflect.Value {
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
}

func (w *fieldWalker) try(path string, v reflect.Value, other any) {
	old := reflect.New(v.Type()).Elem()
	old.Set(v)
	v.Set(reflect.ValueOf(other).Convert(v.Type()))
	w.fields++
	w.check(path)
	v.Set(old)
}

func (w *fieldWalker) walk(path string, v reflect.Value) {
	v = free(v)
	switch v.Kind() {
	case reflect.Bool:
		w.try(path, v, !v.Bool())
	case reflect.String:
		w.try(path, v, v.String()+"x")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.try(path, v, v.Int()+1)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		w.try(path, v, v.Uint()+1)
	case reflect.Struct:
		if t, ok := v.Interface().(time.Time); ok {
			w.try(path, v, t.Add(time.Second))
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); !graph.Derived(f) {
				w.walk(path+"."+f.Name, v.Field(i))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() && !w.seen[v.UnsafePointer()] {
			w.seen[v.UnsafePointer()] = true
			w.walk(path, v.Elem())
		}
		w.drop(path, v)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			w.walk(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
		w.drop(path, v)
	case reflect.Map:
		w.entries(path, v)
		w.drop(path, v)
	}
}

// drop takes away what is there.
func (w *fieldWalker) drop(path string, v reflect.Value) {
	if v.Kind() != reflect.Array && !v.IsNil() {
		w.try(path, v, reflect.Zero(v.Type()).Interface())
	}
}

func (w *fieldWalker) entries(path string, v reflect.Value) {
	for _, key := range v.MapKeys() {
		entry := reflect.New(v.Type().Elem()).Elem()
		entry.Set(v.MapIndex(key))
		at := fmt.Sprintf("%s[%v]", path, key)
		if entry.Kind() == reflect.Pointer && !w.seen[entry.UnsafePointer()] && !entry.IsNil() {
			w.seen[entry.UnsafePointer()] = true
			w.walk(at, entry.Elem())
		}
		v.SetMapIndex(key, reflect.Value{})
		w.fields++
		w.check(at)
		v.SetMapIndex(key, entry)
	}
}
