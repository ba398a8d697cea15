// libcurl's variadic calls as typed functions: Swift cannot call C variadics, and a wrong argument type there is silent.
#pragma once
#include <curl/curl.h>

typedef size_t (*squall_curl_data_function)(char *bytes, size_t size, size_t count, void *context);
typedef int (*squall_curl_prerequest_function)(void *context, char *remote, char *local, int remote_port, int local_port);
typedef int (*squall_curl_socket_function)(CURL *easy, curl_socket_t socket, int what, void *context, void *socket_context);
typedef int (*squall_curl_timer_function)(CURLM *multi, long milliseconds, void *context);

static inline CURLcode squall_curl_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode squall_curl_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode squall_curl_set_text(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

// libcurl copies CURLOPT_COPYPOSTFIELDS at once; any other pointer must outlive the transfer.
static inline CURLcode squall_curl_set_pointer(CURL *easy, CURLoption option, const void *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode squall_curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode squall_curl_set_data_function(CURL *easy, CURLoption option, squall_curl_data_function value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode squall_curl_set_prerequest_function(CURL *easy, squall_curl_prerequest_function value) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, value);
}

static inline CURLcode squall_curl_get_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode squall_curl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(easy, info, value);
}

// The text belongs to the easy handle and is valid until its next use.
static inline CURLcode squall_curl_get_text(CURL *easy, CURLINFO info, const char **value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLMcode squall_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode squall_curl_multi_set_callbacks(
    CURLM *multi, squall_curl_socket_function socket_function, squall_curl_timer_function timer_function, void *context) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket_function);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer_function);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
    return code;
}

// The next finished transfer: its CURLOPT_PRIVATE and result; NULL when there is none.
static inline void *squall_curl_next_done(CURLM *multi, CURLcode *result) {
    int remaining = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &remaining))) {
        if (message->msg != CURLMSG_DONE) continue;
        char *context = NULL;
        *result = message->data.result;
        if (curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &context) == CURLE_OK && context) return context;
    }
    return NULL;
}
