using System.Text;
using Lifeboat.Engine.Sources.Local;
using Lifeboat.Tests.Shared;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.EngineTests.Sources.Files;

/// <summary>Makes trees that hold everything a file system can, and lists them with stock tools.</summary>
internal static class AwkwardTree
{
    private static readonly string[] Fragments =
    [
        "plain", " ", "-rf", "'", "\"", "\\", "\n", "\t", "%41", "%", "*", "?", "#", "=", ";", "$HOME", "`id`", "ä", "\U0001F600", "日本", "~",
        "|", "&", "<>", ":", "e\u0301",
    ];

    /// <summary>Everything, with <paramref name="count"/> awkward names besides.</summary>
    public static async Task BuildAsync(string root, int count)
    {
        await Shell.RunAsync(
            """
            mkdir empty sticky locked deep; chmod 1777 sticky; chmod 2775 deep
            echo secret > locked/file; chmod 000 locked/file; chmod 000 locked
            echo suid > suid; chown 1234:4321 suid; chmod 6755 suid
            echo one > first; ln first second; ln first deep/third; chown 33:33 first
            ln -s /nowhere/absolute dangling; ln -s ../out/side relative; ln -s . loop; ln -s $'bad\xff \n target' badlink
            chown -h 77:88 dangling; touch -h -d '2001-02-03 04:05:06.000000007' dangling
            mkfifo -m 640 fifo
            truncate -s 300M sparse; printf x | dd of=sparse bs=1 seek=150000000 conv=notrunc status=none
            head -c 5000000 /dev/urandom > large; : > zero
            printf a > "$(printf 'n%.0s' {1..255})"; printf b > "$(printf '\xfe%.0s' {1..255})"
            touch -d '1970-01-01 00:00:00.999999999 UTC' zero; touch -d '1969-12-31 23:00:00 UTC' large
            touch -d '2200-01-01 00:00:00.123456789' suid
            mkdir .lifeboat_before_old; echo kept > .lifeboat_before_old/x
            d=deep; for i in {1..30}; do d=$d/$(printf 'd%.0s' {1..80}); done
            IFS=/; cur=$PWD; for p in $d; do mkdir -p "$p"; cd "$p"; done; echo bottom > bottom; cd "$cur"
            touch -d '2010-10-10 10:10:10.101010101' empty deep
            """,
            root);
        using Folder folder = Folder.Open(root);
        byte[] names = Folder.Name("names");
        folder.CreateFolder(names);
        using Folder inside = folder.OpenFolder(names);
        Random random = new(20);
        for (int i = 0; i < count; i++)
        {
            byte[] name = NextName(random, i);
            using (SafeFileHandle file = inside.CreateFile(name))
                RandomAccess.Write(file, Encoding.UTF8.GetBytes($"content {i}"), 0);
            inside.Apply(
                name,
                FileKind.Regular,
                new FileTraits(
                    0b110_000_000 | random.Next(64),
                    new Owner((uint)random.Next(70000), (uint)random.Next(70000)),
                    new FileTime(random.Next(), random.Next(999_999_999))));
        }

        inside.ApplyToSelf(new FileTraits(0b111_101_000, new Owner(5, 6), new FileTime(1_234_567_890, 123_456_789)));
        folder.ApplyToSelf(new FileTraits(0b111_111_010, new Owner(12, 34), new FileTime(1_500_000_000, 5)));
    }

    /// <summary>
    /// What GNU find says of every name: kind, mode, owner, time, links, size and target, without what earlier restores kept.
    /// </summary>
    public static Task<string> ListAsync(string root) => Shell.RunAsync(
        """
        find . -path ./.lifeboat_before_old -prune -o \
          \( -type d -printf '%P %y %m %U:%G %T@\0' -o -printf '%P %y %m %U:%G %T@ %n %s %l\0' \) | sort -z | tr '\0' '\n'
        """,
        root);

    /// <summary>The names of each file that has several.</summary>
    public static Task<string> ListHardLinksAsync(string root) =>
        Shell.RunAsync("for f in $(find . -type f -links +1 | sort); do find . -samefile \"$f\" | sort | tr '\\n' ' '; echo; done", root);

    private static byte[] NextName(Random random, int number)
    {
        List<byte> name = [.. Encoding.UTF8.GetBytes(Fragments[random.Next(Fragments.Length)])];
        if (number % 3 == 0)
            name.Add((byte)random.Next(0x80, 0x100));
        name.AddRange(Encoding.UTF8.GetBytes(number.ToString()));
        if (number % 5 == 0)
            name.AddRange(Encoding.UTF8.GetBytes(Fragments[random.Next(Fragments.Length)]));
        if (number % 7 == 0)
            name.Add((byte)random.Next(1, 0x2F));
        return [.. name];
    }
}
