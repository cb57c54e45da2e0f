using System.Globalization;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Engine.Sources.Trees;

namespace Lifeboat.Engine.Sources.Files;

/// <summary>How a tree is restored by hand.</summary>
internal static class FilesInstructions
{
    public static string Write(string source, string path, TreeDetails details) => string.Create(CultureInfo.InvariantCulture, $"""
        ### {source}: file tree

        Captured from `{path.Replace('`', '\'')}`: {details.RegularFiles} files, {details.Folders} folders,
        {details.SymbolicLinks} symbolic links, {details.Fifos} fifos.
        `files/{source}/` has the files' contents; names that cannot stand there are written with `%XX`, so do not copy them by name.
        `{details.Manifest}` (format: mtree(5)) says for each path what it is, its mode, owner and time, and which content it has.
        `bsdtar` (package libarchive-tools on Debian, bsdtar on Fedora, part of macOS and FreeBSD) puts both together, and GNU tar unpacks
        that as root with owners, modes, times, symbolic and hard links:

        ```sh
        mkdir -p "$RESTORED"/{source}
        LC_ALL=C bsdtar --format=pax --options hdrcharset=BINARY -cf - @{details.Manifest} |
          LC_ALL=C tar -xpf - --numeric-owner --warning=no-unknown-keyword -C "$RESTORED"/{source}
        ```

        Then stop the application, move its folder away, and move the restored one to where it belongs:
        `mv -T "$RESTORED"/{source} {ShellQuote.Of(path)}`. Files that had holes come back with the holes filled;
        `fallocate --dig-holes FILE` makes them again. Times before 1970 come back up to a second off: bsdtar writes their fractions wrongly.

        """);
}
