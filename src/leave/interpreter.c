/* interpreter.c - calls the functions that python and ruby export to their extensions; perl's are
 * in perl.c. */
#include "leave/interpreter.h"

#include <stddef.h>
#include <string.h>

#include "leave/perl.h"
#include "leave/program.h"

/* Declared as in the public headers. */
static struct {
	int (*is_initialized)(void);
	int (*holds_lock)(void);
	void *(*modules)(void);
	void *(*find)(void *dictionary, const char *key);
} python;

static struct {
	int (*is_native_thread)(void);
	int (*holds_lock)(void);
	unsigned long (*intern)(const char *name);
	int (*is_defined)(unsigned long scope, unsigned long name);
	unsigned long (*get)(unsigned long scope, unsigned long name);
	const unsigned long *object; /* the scope of all constants */
} ruby;

/* Whatever the program is named: the interpreter may be in a library, or in a renamed image. */
static bool look_up_python(void)
{
	return program_look_up("Py_IsInitialized", &python.is_initialized) &&
	       program_look_up("PyGILState_Check", &python.holds_lock) &&
	       program_look_up("PyImport_GetModuleDict", &python.modules) &&
	       program_look_up("PyDict_GetItemString", &python.find);
}

static bool look_up_ruby(void)
{
	return program_look_up("ruby_native_thread_p", &ruby.is_native_thread) &&
	       program_look_up("ruby_thread_has_gvl_p", &ruby.holds_lock) &&
	       program_look_up("rb_intern", &ruby.intern) &&
	       program_look_up("rb_const_defined", &ruby.is_defined) &&
	       program_look_up("rb_const_get", &ruby.get) &&
	       program_look_up("rb_cObject", &ruby.object);
}

/* Once, because a look-up that fails allocates. */
static bool is_there(enum language language)
{
	static bool has_looked, has_python, has_ruby;

	if (!has_looked) {
		has_python = look_up_python();
		has_ruby = look_up_ruby();
		has_looked = true;
	}
	return language == PYTHON ? has_python : has_ruby;
}

bool interpreter_may_be_asked(enum language language)
{
	if (language == PERL)
		return perl_may_be_asked();
	if (!is_there(language))
		return false;
	if (language == PYTHON)
		return python.is_initialized() && python.holds_lock();
	return *ruby.object != 0 && ruby.is_native_thread() && ruby.holds_lock();
}

/* Of "A::B" first A, and in that B. */
static bool ruby_has(const char *name)
{
	unsigned long scope = *ruby.object, id;
	char part[32];

	for (;;) {
		const char *end = strstr(name, "::");
		size_t length = end != NULL ? (size_t)(end - name) : strlen(name);

		if (length >= sizeof part)
			return false;
		memcpy(part, name, length);
		part[length] = '\0';
		id = ruby.intern(part);
		if (!ruby.is_defined(scope, id))
			return false;
		if (end == NULL)
			return true;
		scope = ruby.get(scope, id);
		name = end + 2;
	}
}

bool interpreter_has_loaded(enum language language, const char *name)
{
	switch (language) {
	case PYTHON:
		return python.find(python.modules(), name) != NULL;
	case RUBY:
		return ruby_has(name);
	default:
		return perl_has_loaded(name);
	}
}
