"""``maskforge background`` on files: by masks without torch, by a network, images and videos."""

import sys

import numpy as np
import pytest
from PIL import Image, ImageCms
from training import clips
from training.commands import run
from training.places import contents, fail_after, leftovers, listing

GREEN = (0, 90, 10)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Photographs of a bright box, and masks of it, of 0 and 255, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "torch", None)
    for folder in ("photos", "masks"):
        (tmp_path / folder).mkdir()
    Image.fromarray(clips.frame(0)).save("photos/a.jpg", quality=95)
    Image.fromarray(clips.frame(1)).save("photos/b.png")
    for name, number in (("a", 0), ("b", 1)):
        Image.fromarray(clips.box(number) * np.uint8(255)).save(f"masks/{name}.png")
    return tmp_path


def pixels(path):
    with Image.open(path) as image:
        return np.array(image)


def test_a_color_by_masks_without_torch(photos, capsys):
    before = {path: path.read_bytes() for path in (photos / "photos").iterdir()}
    assert run("background", "masks", "photos", "-o", "out", "--color", "#005a0a") == 0
    assert "2 of 2 images" in capsys.readouterr().err
    assert listing("out") == ["a.jpg", "b.png"]
    assert leftovers("out") == []
    found = pixels("out/b.png")
    assert (found[:6, :4] == GREEN).all()
    assert (found[12:20, 12:20] == (230, 200, 180)).all()
    assert np.abs(pixels("out/a.jpg")[:6, :4].astype(int) - GREEN).max() < 4
    assert {path: path.read_bytes() for path in before} == before


def test_hard_edges_are_those_of_the_mask(photos):
    options = ("--color", "#005a0a", "--edge", "hard")
    assert run("background", "masks", "photos/b.png", "-o", "out", *options) == 0
    found = pixels("out/b.png")
    assert ((found == GREEN).all(axis=2) == ~clips.box(1)).all()


def test_transparent_is_straight_alpha(photos):
    assert run("background", "masks", "photos", "-o", "out", "--transparent", "-q") == 0
    for name in ("a.png", "b.png"):
        with Image.open(f"out/{name}") as image:
            assert image.mode == "RGBA"
    found = pixels("out/b.png")
    assert found[15, 15].tolist() == [230, 200, 180, 255]
    assert found[1, 1].tolist() == [0, 0, 0, 0]


def test_blur_is_the_default_and_spares_what_is_kept(photos):
    assert run("background", "masks", "photos/b.png", "-o", "out") == 0
    found = pixels("out/b.png")
    assert (found[12:20, 12:20] == (230, 200, 180)).all()
    # The bright box does not shine into the dark ground beside it.
    assert np.abs(found[15, 28:].astype(int) - (20, 30, 60)).max() <= 2


def test_an_image_stands_behind_upright(photos):
    picture = np.zeros((30, 20, 3), np.uint8)
    picture[:, :10] = (250, 0, 0)  # upright: red above, blue below
    picture[:, 10:] = (0, 0, 250)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture[::-1]).save("behind.png", exif=exif)
    options = ("--image", "behind.png", "--edge", "hard")
    assert run("background", "masks", "photos/b.png", "-o", "out", *options) == 0
    found = pixels("out/b.png")
    assert found[0, 0].tolist() == [250, 0, 0]
    assert found[-1, -1].tolist() == [0, 0, 250]


def test_the_image_is_turned_upright_and_keeps_its_profile(photos):
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    turned = np.rot90(clips.frame(1), 1)
    Image.fromarray(turned).save("photos/b.png", exif=exif, icc_profile=profile)
    options = ("--color", "#005a0a", "--edge", "hard")
    assert run("background", "masks", "photos/b.png", "-o", "out", *options) == 0
    with Image.open("out/b.png") as image:
        assert image.size == (48, 32)
        assert image.getexif().get(0x0112, 1) == 1
        assert image.info["icc_profile"] == profile
    assert ((pixels("out/b.png") == GREEN).all(axis=2) == ~clips.box(1)).all()


def test_of_an_image_longer_than_a_jpeg_may_be_a_png_is_made(photos):
    long = np.zeros((1, 65_501, 3), dtype=np.uint8)
    Image.fromarray(long).save("photos/b.jpg", format="PNG")
    Image.fromarray(long[..., 0]).save("masks/b.png")
    options = ("--color", "#005a0a", "--edge", "hard")
    assert run("background", "masks", "photos/b.jpg", "-o", "out", *options) == 0
    assert (pixels("out/b.png") == GREEN).all()


def test_a_mask_of_another_size_is_fitted_and_classes_are_chosen(photos):
    ids = np.zeros((64, 96), np.uint8)
    ids[16:48, 16:48], ids[:8, :8], ids[56:, 88:] = 2, 1, 255
    Image.fromarray(ids).save("masks/b.png")
    (photos / "masks/a.png").unlink()
    (photos / "masks/labels.txt").write_text("dog\nperson\n")
    base = ("background", "masks", "photos/b.png", "--color", "#005a0a", "--edge", "hard")
    kept = {}
    for name, keep in (
        ("usual", ()),
        ("dog", ("--keep", "dog")),
        ("two", ("--keep", "dog,person")),
    ):
        assert run(*base, "-o", name, *keep) == 0
        kept[name] = ~(pixels(f"{name}/b.png") == GREEN).all(axis=2)
    assert (kept["usual"] == clips.box(1)).all()  # what is ignored is not
    assert kept["dog"][:4, :4].all()
    assert not kept["dog"][8:24, 8:24].any()
    assert (kept["two"] == (kept["usual"] | kept["dog"])).all()


@pytest.mark.parametrize("again", [(), ("--overwrite",)])
def test_inputs_are_not_replaced_even_when_told_to(photos, again, capsys):
    """Neither images nor masks nor the backdrop, and it is said before one is read."""
    Image.fromarray(clips.frame(3)).save("behind.png")
    for name in ("photos", "masks"):
        (photos / name / "behind.png").write_bytes((photos / name / "b.png").read_bytes())
    before = contents(photos)
    with_picture = ("photos/behind.png", "--image", "behind.png")
    for arguments, name in (
        (("photos/b.png", "-o", "photos"), "b.png is an input of"),
        (("photos/b.png", "-o", "masks"), "b.png was not made by"),
        ((*with_picture, "-o", "."), "behind.png is an input of"),
    ):
        assert run("background", "masks", *arguments, *again) == 2
        said = capsys.readouterr().err
        assert f"{name} this command" in said
        assert "[in-the-way]" in said
    assert contents(photos) == before


def test_an_output_inside_the_input_is_not_done_again(photos):
    for _ in range(2):
        assert run("background", "masks", "photos", "-o", "photos/out", "--overwrite") == 0
    assert listing("photos/out") == ["a.jpg", "b.png"]


def test_an_output_among_the_photographs_is_not_done_again(photos):
    (photos / "photos/b.png").rename(photos / "photos/b.bmp")
    (photos / "photos/a.jpg").unlink()
    before = contents("photos")
    for _ in range(2):
        assert run("background", "masks", "photos", "-o", "photos", "--overwrite") == 0
        assert contents("photos").items() >= before.items()
        assert listing("photos") == ["b.bmp", "b.png"]


def test_a_second_run_is_refused_or_replaces_the_first_as_a_whole(photos, capsys):
    assert run("background", "masks", "photos", "-o", "out") == 0
    (photos / "out/mine.txt").write_text("mine")
    before = contents("out")
    assert run("background", "masks", "photos/b.png", "-o", "out") == 2
    assert "an earlier output stands in 'out': a.jpg, b.png" in capsys.readouterr().err
    assert contents("out") == before
    assert run("background", "masks", "photos/b.png", "-o", "out", "--overwrite") == 0
    assert listing("out") == ["b.png", "mine.txt"]


def test_what_somebody_changed_stays_and_is_told(photos, capsys):
    assert run("background", "masks", "photos", "-o", "out") == 0
    Image.fromarray(clips.frame(3)).save("out/b.png")
    before = contents("out")
    again = ("background", "masks", "-o", "out", "--overwrite")
    assert run(*again, "photos") == 2
    assert "b.png was changed after maskforge made it" in capsys.readouterr().err
    assert contents("out") == before
    assert run(*again, "photos/a.jpg") == 0
    assert "left in place: 1 file of the earlier output" in capsys.readouterr().err
    assert contents("out")["b.png"] == before["b.png"]


@pytest.mark.parametrize(("begin", "listed"), [("new", ["a.jpg"]), ("old", ["b.png"])])
def test_interrupted(photos, monkeypatch, capsys, begin, listed):
    assert run("background", "masks", "photos/b.png", "-o", "old", "--color", "#005a0a") == 0
    before = contents("old")
    with monkeypatch.context() as patch:
        fail_after(patch, "write", 1, KeyboardInterrupt())
        assert run("background", "masks", "photos", "-o", begin, "--overwrite") == 130
    said = capsys.readouterr().err
    assert f"interrupted; what is done is kept: {begin}; go on with: " in said
    assert said.rstrip().endswith(f"background masks photos --out {begin} --resume")
    assert listing(begin) == listed
    assert contents("old").items() >= before.items()
    assert run("background", "masks", "photos", "-o", begin, "--resume") == 0
    assert "2 of 2 images done, 1 of them by an earlier run" in capsys.readouterr().err
    assert listing(begin) == ["a.jpg", "b.png"]
    assert leftovers(begin) == []


def test_interrupted_before_anything_was_done(photos, monkeypatch, capsys):
    fail_after(monkeypatch, "write", 0, KeyboardInterrupt())
    assert run("background", "masks", "photos", "-o", "new") == 130
    said = capsys.readouterr().err
    assert "interrupted; all is as it was; begin again with: " in said
    assert not (photos / "new").exists()


def test_a_second_run_does_what_is_missing_or_changed(photos, capsys):
    assert run("background", "masks", "photos", "-o", "out", "--resume") == 0
    first = contents("out")
    assert run("background", "masks", "photos", "-o", "out", "--resume") == 0
    assert "2 of 2 images done, 2 of them by an earlier run: out" in capsys.readouterr().err
    assert {name: data for name, data in contents("out").items() if "owned" not in name} == {
        name: data for name, data in first.items() if "owned" not in name
    }
    Image.fromarray(clips.box(3) * np.uint8(255)).save("masks/b.png")  # a mask was corrected
    assert run("background", "masks", "photos", "-o", "out", "--resume") == 0
    assert "2 of 2 images done, 1 of them by an earlier run: out" in capsys.readouterr().err
    assert (contents("out")["a.jpg"], contents("out")["b.png"]) != (first["a.jpg"], first["b.png"])
    assert contents("out")["a.jpg"] == first["a.jpg"]
    Image.fromarray(clips.frame(5)).save("behind.png")
    for other in (["--color", "#005a0a"], ["--edge", "hard"], ["--image", "behind.png"]):
        assert run("background", "masks", "photos", "-o", "out", "--resume", *other) == 2
        assert "made with another network or other options" in capsys.readouterr().err
    assert run("background", "masks", "photos", "-o", "out", "--resume", "--overwrite") == 2
    assert "contradict each other" in capsys.readouterr().err


def test_nothing_done_leaves_the_earlier_output(photos, capsys):
    assert run("background", "masks", "photos", "-o", "out") == 0
    before = contents("out")
    (photos / "photos/d.jpg").write_bytes(b"\xff\xd8\xff")
    assert run("background", "masks", "photos/d.jpg", "-o", "out", "--overwrite") == 3
    assert contents("out") == before
    assert run("background", "masks", "photos/d.jpg", "-o", "new") == 3
    assert not (photos / "new").exists()


def test_a_full_disk_is_told_in_a_sentence(photos, monkeypatch, capsys):
    assert run("background", "masks", "photos/b.png", "-o", "old", "--color", "#005a0a") == 0
    before = contents("old")
    for place, calls in (("old", 1), ("new", 0)):
        with monkeypatch.context() as patch:
            fail_after(patch, "write", calls)
            assert run("background", "masks", "photos", "-o", place, "--overwrite") == 1
        assert "No space left on device (free some space" in capsys.readouterr().err
    assert contents("old").items() >= before.items()
    assert not (photos / "new").exists()
    assert run("background", "masks", "photos", "-o", "old", "--resume") == 0
    assert "2 of 2 images done, 1 of them by an earlier run" in capsys.readouterr().err


@pytest.mark.parametrize("out", ["photos/a.jpg", "photos/a.jpg/out"])
def test_a_file_in_place_of_the_folder_is_told_in_a_sentence(photos, out, capsys):
    assert run("background", "masks", "photos", "-o", out) == 2
    assert "must be a folder" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(photos, monkeypatch, capsys):
    fail_after(monkeypatch, "mkdir", 0, PermissionError(13, "Permission denied"))
    assert run("background", "masks", "photos", "-o", "new/out") == 1
    assert "new/out: the file could not be written: Permission denied" in capsys.readouterr().err


def test_quiet_leaves_the_errors(photos, capsys):
    (photos / "photos/d.jpg").write_bytes(b"\xff\xd8\xff")
    assert run("background", "masks", "photos", "-o", "out", "-q") == 1
    said = capsys.readouterr().err
    assert "d.jpg" in said
    assert "done" not in said
    assert run("background", "masks", "photos/a.jpg", "-o", "new", "-q") == 0
    assert capsys.readouterr() == ("", "")


def test_what_is_wrong_is_said_and_the_rest_goes_on(photos, capsys):
    Image.fromarray(clips.frame(0)).save("photos/c.png")
    (photos / "photos/d.jpg").write_bytes(b"\xff\xd8\xff")
    assert run("background", "masks", "photos", "-o", "out") == 1
    said = capsys.readouterr().err
    assert "there must be a mask called 'c'" in said
    assert "d.jpg" in said
    assert "2 of 4 images" in said


def test_a_video_by_masks_of_its_frames(photos, capsys):
    clips.write(photos / "clip.avi", 5)
    for number in range(5):
        mask = Image.fromarray(clips.box(number) * np.uint8(255))
        mask.save(f"masks/clip_{number + 1:06}.png")
    options = ("--color", "#005a0a", "--edge", "hard", "--smooth", "0")
    assert run("background", "masks", "clip.avi", "-o", "out", *options) == 0
    assert "5 frames of 1 video done" in capsys.readouterr().err
    assert listing("out") == ["clip.mp4"]
    found = clips.read(photos / "out/clip.mp4")
    assert len(found) == 5
    for number, frame in enumerate(found):
        kept = frame[..., 0] > 110
        assert (kept != clips.box(number)).mean() < 0.05
    assert run("background", "masks", "clip.avi", "-o", "cut", "--transparent") == 0
    assert listing("cut") == [f"clip_{number:06}.png" for number in range(1, 6)]


def test_the_matte_of_a_video_is_smoothed_over_time(photos):
    clips.write(photos / "clip.avi", 3)
    for number, share in enumerate((1, 0, 0), start=1):  # all, nothing, nothing
        mask = np.full((32, 48), 255 * share, np.uint8)
        Image.fromarray(mask).save(f"masks/clip_{number:06}.png")
    options = ("--transparent", "--smooth", "0.6", "--edge", "hard")
    assert run("background", "masks", "clip.avi", "-o", "out", *options) == 0
    opaque = [pixels(f"out/clip_00000{n}.png")[..., 3].mean() for n in (1, 2, 3)]
    assert opaque == [255, 255, 0]  # 1, 0.6, 0.36


def test_of_a_video_that_is_cut_off_the_frames_are_kept(photos, capsys):
    clips.cut(clips.write(photos / "clip.avi", 12))
    for number in range(12):
        mask = Image.fromarray(clips.box(0) * np.uint8(255))
        mask.save(f"masks/clip_{number + 1:06}.png")
    assert run("background", "masks", "clip.avi", "photos/b.png", "-o", "out") == 1
    assert "must have 12 frames" in capsys.readouterr().err
    assert listing("out") == ["b.png", "clip.mp4"]
    assert 3 < len(clips.read(photos / "out/clip.mp4")) < 12


def test_a_video_with_a_frame_that_has_no_mask_ends_there(photos, capsys):
    clips.write(photos / "clip.avi", 4)
    for number in (1, 2):
        Image.fromarray(clips.box(0) * np.uint8(255)).save(f"masks/clip_{number:06}.png")
    assert run("background", "masks", "clip.avi", "-o", "out") == 1
    said = capsys.readouterr().err
    assert said.count("there must be a mask called") == 1
    assert "clip_000003" in said


def test_after_a_video_that_ends_early_comes_the_next_one(photos, capsys):
    for name, count in (("a", 5), ("b", 4)):
        clips.write(photos / f"{name}.avi", count)
        for number in range(count):
            if (name, number) != ("a", 2):
                mask = Image.fromarray(clips.box(number) * np.uint8(255))
                mask.save(f"masks/{name}_{number + 1:06}.png")
    assert run("background", "masks", "a.avi", "b.avi", "-o", "out") == 1
    assert "a_000003" in capsys.readouterr().err
    assert listing("out") == ["a.mp4", "b.mp4"]
    assert len(clips.read(photos / "out/a.mp4")) == 2
    assert len(clips.read(photos / "out/b.mp4")) == 4


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("masks", "photos", "--color", "#ffffff", "--blur", "3"), 2, "but got --blur, --color"),
        (("masks", "photos", "--color", "pink"), 2, "a colour must be written #rrggbb"),
        (("masks", "photos", "--blur", "much"), 2, "a length must be pixels or percent"),
        (("masks", "photos", "--image", "none.jpg"), 3, "none.jpg"),
        (("masks", "photos", "--keep", "cat"), 2, "must be classes, _background_, class_1, but"),
        (("masks", "photos", "--flip"), 2, "masks need no network to look, but got --flip"),
        (("masks", "photos", "--edge", "hard", "--radius", "3"), 2, "but got --radius"),
        (("masks", "photos", "--smooth", "0.3"), 2, "but got --smooth and no video"),
        (("nowhere", "photos"), 3, "there is no such file or folder"),
        (("masks", "nothing.mp4"), 3, "there is no such file or folder"),
        (("a.pt", "photos", "--labels", "a"), 2, "a network knows its classes"),
        (("a.pt", "photos"), 2, "this needs torch"),
        (("masks", "photos", "--smooth", "1"), 2, "--smooth"),
    ],
)
@pytest.mark.usefixtures("photos")
def test_wrong_usage(arguments, code, said, capsys):
    assert run("background", *arguments, "-o", "out") == code
    assert said in capsys.readouterr().err


def test_a_network_looks_at_images_and_videos(trained, tmp_path, capsys):
    clips.write(tmp_path / "clip.avi", 3)
    view = ("--threads", "1", "--batch", "2")
    assert run("background", trained, "data/images/0.png", "clip.avi", "-o", "out", *view) == 0
    assert "4 images and frames done" in capsys.readouterr().err
    assert listing("out") == ["0.png", "clip.mp4"]
    assert len(clips.read(tmp_path / "out/clip.mp4")) == 3
    assert run("background", trained, "data/images", "-o", "x", "--keep", "cat", *view) == 2
