// http.c: the socket that listens, and the heads of requests and responses. It refuses every head that
// another program could read differently: a proxy in front may check one request and pass on two.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "http.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define BAD "400 Bad Request"
#define DIGITS "0123456789"
#define TOKEN DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&'*+-.^_`|~"

int http_listen(const char *wanted, char *port) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t) strtoul(wanted, NULL, 10));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0
        || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0
        || bind(fd, (struct sockaddr *) &address, size) != 0 || listen(fd, 128) != 0
        || getsockname(fd, (struct sockaddr *) &address, &size) != 0) {
        return -1;
    }
    snprintf(port, HTTP_PORT_SIZE, "%u", (unsigned) ntohs(address.sin_port));
    return fd;
}

// Decodes %41 and the like. 0 for a wrong escape, a NUL, a folder `..` or a missing slash.
static int decode_path(const char *from, char *path) {
    char *to = path;
    for (; *from != '\0' && *from != '?'; from++) {
        *to = *from;
        if (*from == '%') {
            if (!isxdigit((unsigned char) from[1]) || !isxdigit((unsigned char) from[2])) {
                return 0;
            }
            const char digits[] = {from[1], from[2], '\0'};
            *to = (char) strtol(digits, NULL, 16);
            from += 2;
        }
        if (*to++ == '\0') {
            return 0;
        }
    }
    *to = '\0';
    for (const char *up = path; (up = strstr(up, "/..")) != NULL; up += 3) {
        if (up[3] == '/' || up[3] == '\0') {
            return 0;
        }
    }
    return path[0] == '/';
}

static const char *parse_request_line(struct http_head *self, char *line) {
    wsgi_request *request = &self->request;
    char *target = strchr(line, ' ');
    char *version = target != NULL ? strchr(target + 1, ' ') : NULL;
    if (version == NULL || strspn(line, TOKEN) != (size_t) (target - line)) {
        return BAD;
    }
    *target++ = '\0';
    *version++ = '\0';
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0) {
        return "505 HTTP Version Not Supported";
    }
    if (!decode_path(target, self->path)) {
        return BAD;
    }
    const char *mark = strchr(target, '?');
    request->method = wsgi_str_from(line);
    request->request_uri = wsgi_str_from(target);
    request->path_info = wsgi_str_from(self->path);
    request->query_string = wsgi_str_from(mark != NULL ? mark + 1 : NULL);
    request->protocol = wsgi_str_from(version);
    return NULL;
}

static const char *parse_header(struct http_head *self, char *line) {
    wsgi_request *request = &self->request;
    char *value = line + strspn(line, TOKEN);
    if (value == line || *value != ':' || strpbrk(line, "\r\n") != NULL) {
        return BAD;
    }
    *value++ = '\0';
    value += strspn(value, " \t");
    for (char *end = value + strlen(value); end > value && strchr(" \t", end[-1]) != NULL;) {
        *--end = '\0';
    }
    if (strcasecmp(line, "Transfer-Encoding") == 0) {
        return "501 Not Implemented"; // a body in chunks
    }
    if (strcasecmp(line, "Content-Length") == 0) {
        size_t digits = strspn(value, DIGITS);
        if (digits < 1 || digits > 18 || value[digits] != '\0' || request->content_length >= 0) {
            return BAD;
        }
        request->content_length = strtoll(value, NULL, 10);
    }
    if (request->headers_count == HTTP_MAX_HEADERS) {
        return "431 Request Header Fields Too Large";
    }
    wsgi_header *header = &self->headers[request->headers_count++];
    header->name = wsgi_str_from(line);
    header->value = wsgi_str_from(value);
    return NULL;
}

const char *http_parse(struct http_head *self, char *lines, size_t size) {
    const wsgi_request empty = WSGI_REQUEST_INIT;
    self->request = empty;
    self->request.headers = self->headers;
    lines[size] = '\0';
    if (strlen(lines) != size) {
        return BAD;
    }
    const char *refusal = NULL;
    char *end;
    for (char *line = lines; refusal == NULL && *line != '\0'; line = end + 2) {
        end = strstr(line, "\r\n");
        *end = '\0';
        refusal = line == lines ? parse_request_line(self, line) : parse_header(self, line);
    }
    return refusal;
}

char *http_head(const wsgi_head *head, size_t *size) {
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    if (out == NULL) {
        return NULL;
    }
    fprintf(out, "HTTP/1.0 %u %.*s\r\n", (unsigned) head->status, (int) head->reason.size,
            (const char *) head->reason.data);
    for (size_t i = 0; i < head->headers_count; i++) {
        wsgi_str name = head->headers[i].name, value = head->headers[i].value;
        fprintf(out, "%.*s: %.*s\r\n", (int) name.size, (const char *) name.data,
                (int) value.size, (const char *) value.data);
    }
    if (head->content_length >= 0) {
        fprintf(out, "Content-Length: %lld\r\n", (long long) head->content_length);
    }
    fputs("\r\n", out);
    return fclose(out) == 0 ? text : NULL;
}

char *http_refusal(const char *status, unsigned retry_after, size_t *size) {
    char *text = (char *) malloc(160);
    if (text != NULL) {
        const char *format = retry_after > 0
                                 ? "HTTP/1.0 %s\r\nContent-Length: 0\r\nRetry-After: %u\r\n\r\n"
                                 : "HTTP/1.0 %s\r\nContent-Length: 0\r\n\r\n";
        *size = (size_t) snprintf(text, 160, format, status, retry_after);
    }
    return text;
}
