# Rules for nginx's makefile, which auto/make includes.
#
# The status page is made into a C file when it is built, and anew when a part
# of it has changed.

ngx_enkod_page=$ngx_addon_dir/ngx_http_enkod_module/status/page
ngx_enkod_page_c=$NGX_OBJS/ngx_http_enkod_status_page.c

cat << END                                                    >> $NGX_MAKEFILE

$ngx_enkod_page_c: `echo $ngx_enkod_page/*` $ngx_addon_dir/tools/build/page
	sh $ngx_addon_dir/tools/build/page $ngx_enkod_page > $ngx_enkod_page_c.new
	mv $ngx_enkod_page_c.new $ngx_enkod_page_c

END
