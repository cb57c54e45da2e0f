namespace Lifeboat.Engine.Apps.Detection;

/// <summary>Tells folders that a web server probably serves: what is put there, a passphrase or a bundle, anybody may fetch.</summary>
public static class WebRoot
{
    private static readonly string[] s_files = [".htaccess", "index.php", "index.html", "index.htm", "wp-config.php", "wp-login.php", "web.config"];
    private static readonly string[] s_names = ["public_html", "htdocs", "wwwroot", "webroot", "www-data", "httpdocs"];

    // Where packages of web servers put them: Debian's policy 11.5, Arch's httpd, FreeBSD's ports.
    private static readonly string[] s_places = ["/var/www", "/srv/http", "/srv/www", "/usr/local/www", "/usr/share/nginx"];

    /// <summary>What says so of a folder, or of one above it: <c>index.php in /srv/shop</c>; null where nothing does.</summary>
    /// <param name="folder">Absolute; it need not be there.</param>
    public static string? SignOf(string folder)
    {
        for (string? place = Path.TrimEndingDirectorySeparator(folder); place is not null; place = Path.GetDirectoryName(place))
        {
            if (s_places.Contains(place) || s_names.Contains(Path.GetFileName(place), StringComparer.OrdinalIgnoreCase))
                return place;
            if (Path.GetDirectoryName(place) is null)
                break; // a file in the topmost folder is no sign for all the machine
            if (s_files.FirstOrDefault(name => File.Exists(Path.Combine(place, name))) is { } file)
                return $"{file} in {place}";
        }

        return null;
    }
}
