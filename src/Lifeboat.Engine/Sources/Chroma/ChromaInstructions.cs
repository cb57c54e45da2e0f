using System.Globalization;
using Lifeboat.Engine.Sources.Local;

namespace Lifeboat.Engine.Sources.Chroma;

/// <summary>How a persist directory is restored by hand.</summary>
internal static class ChromaInstructions
{
    public static string Write(string source, ChromaDetails details) => string.Create(CultureInfo.InvariantCulture, $"""
        ### {source}: Chroma directory

        Captured from `{details.Path.Replace('`', '\'')}`: {details.Collections.Count} collections with {details.Collections.Sum(static one => one.Records)} records,
        as Chroma {details.Version} writes them. `vectors/{source}/` is the persist directory itself: `chroma.sqlite3`, and a folder for each vector
        segment that has been written. `{details.Tree.Manifest}` (format: mtree(5)) has modes, owners and times, which `bsdtar` (package
        libarchive-tools on Debian) puts together with the contents:

        ```sh
        grep ' vectors/{source}/' checksums.sha256 | sha256sum --quiet -c -
        sqlite3 'file:{details.Database}?immutable=1' 'PRAGMA integrity_check'
        mkdir -p "$RESTORED"/{source}
        LC_ALL=C bsdtar --format=pax --options hdrcharset=BINARY -cf - @{details.Tree.Manifest} |
          LC_ALL=C tar -xpf - --numeric-owner --warning=no-unknown-keyword -C "$RESTORED"/{source}
        ```

        Where there is no `bsdtar`, `cp -r vectors/{source}/. "$RESTORED"/{source}/` restores all that Chroma needs, with other owners and times.

        Then stop the Chroma server, move its directory away **as a whole**, and move the restored one to where it belongs:
        `mv -T "$RESTORED"/{source} {ShellQuote.Of(details.Path)}`. Start the server with that path; it has to be of the same version or a newer one,
        and applies what the queue in `chroma.sqlite3` has for the vector segments when a collection is first used.

        """);
}
